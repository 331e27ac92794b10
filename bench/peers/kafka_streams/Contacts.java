import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The job of the peers as a Kafka Streams program: one processor, two persistent stores with caches and changelogs. */
public final class Contacts {
  private static final long THRESHOLD_MS = 20_000;

  /** The fields of an event that the job needs. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public static final class Event {
    public String type;
    public String time;
    public String subject;
    public Data data;
  }

  /** What an event says. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public static final class Data {
    public String queue;
    public String channel = "voice";
    public int enqueue_seq = 1;
    public long wait_ms;
    public long talk_ms;
    public long hold_ms;
    public long acw_ms;
    public boolean wrapup;
  }

  /** What is known of one visit of a contact: instants in milliseconds, 0 where not known. */
  static final class Segment {
    static final int ENQUEUED = 0, ANSWERED = 1, ABANDONED = 2, ENDED = 3, WRAPPED_UP = 4;
    final long[] facts = new long[5];
    long handleMs;
    long[] held = {};
    long[] resumed = {};

    boolean note(int fact, long at) {
      if (facts[fact] != 0) {
        return false;
      }
      facts[fact] = at;
      return true;
    }

    byte[] toBytes() {
      ByteBuffer bytes = ByteBuffer.allocate(8 * (7 + held.length + resumed.length));
      for (long fact : facts) {
        bytes.putLong(fact);
      }
      bytes.putLong(handleMs).putInt(held.length).putInt(resumed.length);
      for (long at : held) {
        bytes.putLong(at);
      }
      for (long at : resumed) {
        bytes.putLong(at);
      }
      return bytes.array();
    }

    static Segment of(byte[] row) {
      ByteBuffer bytes = ByteBuffer.wrap(row);
      Segment segment = new Segment();
      for (int fact = 0; fact < segment.facts.length; fact++) {
        segment.facts[fact] = bytes.getLong();
      }
      segment.handleMs = bytes.getLong();
      segment.held = new long[bytes.getInt()];
      segment.resumed = new long[bytes.getInt()];
      Arrays.setAll(segment.held, index -> bytes.getLong());
      Arrays.setAll(segment.resumed, index -> bytes.getLong());
      return segment;
    }
  }

  private static Serde<Segment> segments() {
    return Serdes.serdeFrom(
        (topic, segment) -> segment == null ? null : segment.toBytes(),
        (topic, row) -> row == null ? null : Segment.of(row));
  }

  private static Serde<long[]> tallies() {
    return Serdes.serdeFrom(
        (topic, tally) -> {
          if (tally == null) {
            return null;
          }
          ByteBuffer bytes = ByteBuffer.allocate(8 * tally.length);
          bytes.asLongBuffer().put(tally);
          return bytes.array();
        },
        (topic, row) -> {
          if (row == null) {
            return null;
          }
          long[] tally = new long[row.length / 8];
          ByteBuffer.wrap(row).asLongBuffer().get(tally);
          return tally;
        });
  }

  private static Deserializer<Event> events() {
    ObjectReader reader = new ObjectMapper().readerFor(Event.class);
    return (topic, value) -> {
      try {
        return reader.readValue(value);
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    };
  }

  /** Folds each event into its segment and its minute. */
  static final class Fold implements Processor<String, Event, Void, Void> {
    private final Meter meter;
    private KeyValueStore<String, Segment> segments;
    private KeyValueStore<String, long[]> tallies;

    Fold(Meter meter) {
      this.meter = meter;
    }

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      segments = context.getStateStore("segments");
      tallies = context.getStateStore("tallies");
    }

    @Override
    public void process(Record<String, Event> record) {
      fold(record.value());
      meter.count();
    }

    private void fold(Event event) {
      if (event.type.equals("contact.offered_to_agent") || event.type.equals("contact.offer_ended")) {
        return;
      }
      Data data = event.data;
      String queue = data.queue + "/" + data.channel + "/";
      String key = queue + event.subject + "/" + data.enqueue_seq;
      Segment segment = segments.get(key);
      if (segment == null) {
        segment = new Segment();
      }
      long at = Instant.parse(event.time).toEpochMilli();
      long[] added = new long[7];
      if (foldEvent(segment, event.type, at, data, added)) {
        segments.put(key, segment);
        add(queue + at / 60_000, added);
      }
    }

    private void add(String minute, long[] added) {
      if (Arrays.stream(added).allMatch(count -> count == 0)) {
        return;
      }
      long[] tally = tallies.get(minute);
      if (tally != null) {
        for (int field = 0; field < added.length; field++) {
          added[field] += tally[field];
        }
      }
      tallies.put(minute, added);
    }

    /** Returns false for what changes nothing. */
    private static boolean foldEvent(Segment segment, String type, long at, Data data, long[] added) {
      switch (type) {
        case "contact.enqueued":
          added[0] = 1;
          return segment.note(Segment.ENQUEUED, at);
        case "contact.answered":
          added[1] = 1;
          added[2] = data.wait_ms <= THRESHOLD_MS ? 1 : 0;
          added[3] = data.wait_ms;
          return segment.note(Segment.ANSWERED, at);
        case "contact.abandoned":
          added[4] = 1;
          return segment.note(Segment.ABANDONED, at);
        case "contact.ended":
          if (!segment.note(Segment.ENDED, at)) {
            return false;
          }
          segment.handleMs = data.talk_ms + data.hold_ms;
          if (!data.wrapup) {
            added[5] = 1;
            added[6] = segment.handleMs;
          }
          return true;
        case "contact.wrapup_ended":
          added[5] = 1;
          added[6] = segment.handleMs + data.acw_ms;
          return segment.note(Segment.WRAPPED_UP, at);
        case "contact.held":
          if (contains(segment.held, at)) {
            return false;
          }
          segment.held = with(segment.held, at);
          return true;
        case "contact.resumed":
          if (contains(segment.resumed, at)) {
            return false;
          }
          segment.resumed = with(segment.resumed, at);
          return true;
        default:
          return false;
      }
    }

    private static boolean contains(long[] instants, long at) {
      for (long instant : instants) {
        if (instant == at) {
          return true;
        }
      }
      return false;
    }

    private static long[] with(long[] instants, long at) {
      long[] more = Arrays.copyOf(instants, instants.length + 1);
      more[instants.length] = at;
      return more;
    }
  }

  /** As `bench/peers/meter.py`: from the first record to the last. One stream thread counts. */
  static final class Meter {
    private final OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final long events;
    private final Path folder;
    private final CountDownLatch last = new CountDownLatch(1);
    private long seen;
    private long began;
    private long cpuBegan;

    Meter(long events, Path folder) {
      this.events = events;
      this.folder = folder;
    }

    void count() {
      if (seen == 0) {
        began = System.nanoTime();
        cpuBegan = system.getProcessCpuTime();
      }
      seen++;
      if (seen == events) {
        end();
      }
    }

    private void end() {
      double seconds = (System.nanoTime() - began) / 1e9;
      double cpuSeconds = (system.getProcessCpuTime() - cpuBegan) / 1e9;
      try {
        String status = Files.readString(Path.of("/proc/self/status"));
        long peak = Long.parseLong(status.split("VmHWM:\\s*")[1].split(" ")[0]) * 1024;
        String figures = "{\"seconds\": %f, \"cpu_seconds\": %f, \"peak_bytes\": %d}";
        Files.writeString(folder.resolve("report.json"), String.format(Locale.ROOT, figures, seconds, cpuSeconds, peak));
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
      last.countDown();
    }
  }

  private static <V> StoreBuilder<KeyValueStore<String, V>> store(String name, Serde<V> rows) {
    return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), Serdes.String(), rows)
        .withCachingEnabled()
        .withLoggingEnabled(Map.of());
  }

  private static Properties settings(String brokers, String group, Path folder) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, folder.resolve("state").toString());
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 256L << 20);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    return settings;
  }

  /** Takes brokers, topic, number of events, group, and an empty folder. */
  public static void main(String[] told) throws InterruptedException {
    Path folder = Path.of(told[4]);
    Meter meter = new Meter(Long.parseLong(told[2]), folder);
    Topology topology = new Topology();
    topology.addSource("contacts", Serdes.String().deserializer(), events(), told[1]);
    topology.addProcessor("fold", () -> new Fold(meter), "contacts");
    topology.addStateStore(store("segments", segments()), "fold");
    topology.addStateStore(store("tallies", tallies()), "fold");
    KafkaStreams streams = new KafkaStreams(topology, settings(told[0], told[3], folder));
    streams.start();
    meter.last.await();
    streams.close();
  }
}
