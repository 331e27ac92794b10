# Wheels are built in one stage; the image has the package, what it needs, and no compiler.
FROM python:3.12.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY stream stream
RUN python -m venv /opt/contact-stream \
    && /opt/contact-stream/bin/pip install --no-cache-dir --constraint constraints.txt '.[database]'

FROM python:3.12.11-slim-bookworm
COPY --from=build /opt/contact-stream /opt/contact-stream
ENV PATH=/opt/contact-stream/bin:$PATH \
    PYTHONUNBUFFERED=1
# A number, not a name: an orchestrator can see that it is not root. Nothing on the disk belongs to it.
USER 10001:10001
EXPOSE 9108
# The worker takes its last checkpoint; a second signal is not needed.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --retries=3 --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9108/healthz')"]
ENTRYPOINT ["contact-stream"]
CMD ["worker"]
