"""What a log says, and what is told of it: `seconds|rest of the line` and `seconds event`."""

__all__ = ["STORIES"]

STORIES = {
    "a call is answered and the agent hangs up": (
        """
        0|c1|q1|NONE|ENTERQUEUE||05550000001|1|Jane Doe
        3|c1|q1|Agent/7|RINGNOANSWER|3000
        8|c1|q1|Agent/8|CONNECT|8|c2|4
        20|c1|q1|Agent/8|COMPLETEAGENT|8|12|1
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        3 offer_ended c1 queue=q1 agent=Agent/7 result=missed ring_ms=3000
        3 agent.queue_joined Agent/7 queue=q1
        8 answered c1 queue=q1 agent=Agent/8 wait_ms=8000 ring_ms=4000
        8 agent.queue_joined Agent/8 queue=q1
        8 agent.activity_changed Agent/8 activity=on_contact
        20 ended c1 queue=q1 agent=Agent/8 ended_by=agent talk_ms=12000
        20 agent.activity_changed Agent/8 activity=idle
        """,
    ),
    "old logs have shorter lines": (
        """
        0|c1|q1|NONE|ENTERQUEUE||05550000001
        8|c1|q1|Agent/8|CONNECT|8|c2
        20|c1|q1|Agent/8|COMPLETECALLER|8|12
        30|c2|q1|NONE|ENTERQUEUE|
        35|c2|q1|NONE|EXITWITHTIMEOUT|1
        40|c3|q1|NONE|ENTERQUEUE|
        41|c3|q1|Agent/8|CONNECT|1
        49|c3|q1|Agent/8|TRANSFER|100|default
        50|c4|q1|NONE|ENTERQUEUE|
        51|c4|q1|Agent/8|CONNECT|1
        59|c4|q1|Agent/8|TRANSFER|100|default|1|8
        """,
        """
        0 enqueued c1 queue=q1 reason=new
        8 answered c1 queue=q1 agent=Agent/8 wait_ms=8000
        8 agent.queue_joined Agent/8 queue=q1
        8 agent.activity_changed Agent/8 activity=on_contact
        20 ended c1 queue=q1 agent=Agent/8 ended_by=customer talk_ms=12000
        20 agent.activity_changed Agent/8 activity=idle
        30 enqueued c2 queue=q1 reason=new
        35 dequeued c2 queue=q1 position=1 reason=timeout
        40 enqueued c3 queue=q1 reason=new
        41 answered c3 queue=q1 agent=Agent/8 wait_ms=1000
        41 agent.activity_changed Agent/8 activity=on_contact
        49 transferred c3 queue=q1 agent=Agent/8 kind=blind
        49 agent.activity_changed Agent/8 activity=idle
        50 enqueued c4 queue=q1 reason=new
        51 answered c4 queue=q1 agent=Agent/8 wait_ms=1000
        51 agent.activity_changed Agent/8 activity=on_contact
        59 transferred c4 queue=q1 agent=Agent/8 kind=blind talk_ms=8000
        59 agent.activity_changed Agent/8 activity=idle
        """,
    ),
    "newer logs tell how long the agent talked before a transfer": (
        """
        0|c1|q1|Agent/8|CONNECT|5|c2|1
        60|c1|q1|Agent/8|BLINDTRANSFER|05550000009|out|5|60|1
        0|c3|q1|Agent/8|CONNECT|5|c4|1
        70|c3|q1|Agent/8|ATTENDEDTRANSFER|BRIDGE|b1|5|70|1
        0|c5|q1|Agent/8|CONNECT|5|c6|1
        80|c5|q1|Agent/8|ATTENDEDTRANSFER|LINK|SIP/1|SIP/2|5|80|1
        """,
        """
        0 answered c1 queue=q1 agent=Agent/8 wait_ms=5000 ring_ms=1000
        0 agent.queue_joined Agent/8 queue=q1
        0 agent.activity_changed Agent/8 activity=on_contact
        60 transferred c1 queue=q1 agent=Agent/8 kind=blind talk_ms=60000
        60 agent.activity_changed Agent/8 activity=idle
        0 answered c3 queue=q1 agent=Agent/8 wait_ms=5000 ring_ms=1000
        0 agent.activity_changed Agent/8 activity=on_contact
        70 transferred c3 queue=q1 agent=Agent/8 kind=attended talk_ms=70000
        70 agent.activity_changed Agent/8 activity=idle
        0 answered c5 queue=q1 agent=Agent/8 wait_ms=5000 ring_ms=1000
        0 agent.activity_changed Agent/8 activity=on_contact
        80 transferred c5 queue=q1 agent=Agent/8 kind=attended talk_ms=80000
        80 agent.activity_changed Agent/8 activity=idle
        """,
    ),
    "the ways out of a queue without an answer": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        9|c1|q1|NONE|ABANDON|1|1|9
        10|c2|q1|NONE|ENTERQUEUE||x|1
        11|c2|q1|Agent/8|RINGCANCELED|900
        19|c2|q1|NONE|EXITWITHTIMEOUT|1|1|9
        20|c3|q1|NONE|ENTERQUEUE||x|1
        29|c3|q1|NONE|EXITEMPTY|1|1|9
        30|c4|q1|NONE|ENTERQUEUE||x|2
        39|c4|q1|NONE|EXITWITHKEY|5|1|2|9
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        9 abandoned c1 queue=q1 wait_ms=9000 position=1
        10 enqueued c2 queue=q1 position=1 reason=new
        11 offer_ended c2 queue=q1 agent=Agent/8 result=canceled ring_ms=900
        11 agent.queue_joined Agent/8 queue=q1
        19 dequeued c2 queue=q1 wait_ms=9000 position=1 reason=timeout
        20 enqueued c3 queue=q1 position=1 reason=new
        29 dequeued c3 queue=q1 wait_ms=9000 position=1 reason=empty
        30 enqueued c4 queue=q1 position=2 reason=new
        39 dequeued c4 queue=q1 wait_ms=9000 position=1 reason=key
        """,
    ),
    "a caller who is queued again keeps the id and begins a new visit": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        9|c1|q1|NONE|EXITWITHTIMEOUT|1|1|9
        9|c1|q2|NONE|ENTERQUEUE||x|1
        12|c1|q2|Agent/8|CONNECT|3|c2|1
        40|c1|q2|Agent/8|BLINDTRANSFER|q1|queues|3|28|1
        41|c1|q1|NONE|ENTERQUEUE||x|1
        50|c1|q1|NONE|ABANDON|1|1|9
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        9 dequeued c1 queue=q1 wait_ms=9000 position=1 reason=timeout
        9 enqueued c1 queue=q2 enqueue_seq=2 position=1 reason=requeue
        12 answered c1 queue=q2 enqueue_seq=2 agent=Agent/8 wait_ms=3000 ring_ms=1000
        12 agent.queue_joined Agent/8 queue=q2
        12 agent.activity_changed Agent/8 activity=on_contact
        40 transferred c1 queue=q2 enqueue_seq=2 agent=Agent/8 kind=blind talk_ms=28000
        40 agent.activity_changed Agent/8 activity=idle
        41 enqueued c1 queue=q1 enqueue_seq=3 position=1 reason=requeue
        50 abandoned c1 queue=q1 enqueue_seq=3 wait_ms=9000 position=1
        """,
    ),
    "a call that is in another queue has left the first, though no line said so": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        9|c1|q2|NONE|ENTERQUEUE||x|1
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        9 dequeued c1 queue=q1 reason=moved to_queue=q2
        9 enqueued c1 queue=q2 enqueue_seq=2 position=1 reason=requeue
        """,
    ),
    "a call that was blocked before is still new in the queue that takes it": (
        """
        0|c1|q1|NONE|FULL|
        1|c1|q2|NONE|JOINEMPTY|
        2|c1|q3|NONE|CLOSED|
        3|c1|q4|NONE|DIVERT_CA_RATIO|
        4|c1|q5|NONE|DIVERT_HOLDTIME|
        5|c1|q6|NONE|LEAVEEMPTY|
        6|c1|q7|NONE|ENTERQUEUE||x|1
        7|c1|q7|NONE|LEAVEEMPTY|
        """,
        """
        0 blocked c1 queue=q1 reason=full
        1 blocked c1 queue=q2 enqueue_seq=2 reason=no_agents
        2 blocked c1 queue=q3 enqueue_seq=3 reason=closed
        3 blocked c1 queue=q4 enqueue_seq=4 reason=capacity
        4 blocked c1 queue=q5 enqueue_seq=5 reason=capacity
        5 blocked c1 queue=q6 enqueue_seq=6 reason=no_agents
        6 enqueued c1 queue=q7 enqueue_seq=7 position=1 reason=new
        7 dequeued c1 queue=q7 enqueue_seq=7 reason=empty
        """,
    ),
    "after a restart of the PBX nobody waits or talks who did before": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        1|c2|q1|NONE|ENTERQUEUE||x|2
        2|c3|q2|NONE|ENTERQUEUE||x|1
        3|c1|q1|Agent/8|CONNECT|3|c9|1
        4|c2|q1|NONE|ABANDON|1|2|3
        9|NONE|NONE|NONE|QUEUESTART|
        10|NONE|NONE|NONE|QUEUESTART|
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        1 enqueued c2 queue=q1 position=2 reason=new
        2 enqueued c3 queue=q2 position=1 reason=new
        3 answered c1 queue=q1 agent=Agent/8 wait_ms=3000 ring_ms=1000
        3 agent.queue_joined Agent/8 queue=q1
        3 agent.activity_changed Agent/8 activity=on_contact
        4 abandoned c2 queue=q1 wait_ms=3000 position=1
        9 dequeued c3 queue=q2 reason=system
        9 ended c1 queue=q1 ended_by=system talk_ms=1000
        9 agent.activity_changed Agent/8 activity=idle
        """,
    ),
    "agents come, pause, come back and go": (
        """
        0|NONE|NONE|Agent/7|AGENTLOGIN|SIP/7
        1|x.4|NONE|Agent/8|AGENTCALLBACKLOGIN|1002@pcm-dev
        2|CLI|q1|Local/2004@from-internal/n|ADDMEMBER|
        3|MANAGER|q1|Agent/9|ADDMEMBER|PAUSED
        4|NONE|q1|Agent/7|PAUSE|lunch
        5|NONE|NONE|Agent/7|PAUSEALL|
        6|NONE|NONE|Agent/7|UNPAUSEALL|
        7|NONE|q1|Agent/7|UNPAUSE|
        8|REALTIME|q1|Agent/9|REMOVEMEMBER|
        9|NONE|NONE|Agent/8|AGENTCALLBACKLOGOFF|1002@pcm-dev|8|CommandLogoff
        9|NONE|NONE|Agent/7|AGENTLOGOFF|SIP/7|9
        """,
        """
        0 agent.logged_in Agent/7
        1 agent.logged_in Agent/8
        2 agent.queue_joined Local/2004@from-internal/n queue=q1
        2 agent.logged_in Local/2004@from-internal/n
        3 agent.queue_joined Agent/9 queue=q1
        3 agent.availability_changed Agent/9 status=not_ready queue=q1
        3 agent.logged_in Agent/9
        3 agent.availability_changed Agent/9 status=not_ready
        4 agent.queue_joined Agent/7 queue=q1
        4 agent.availability_changed Agent/7 status=not_ready reason=lunch queue=q1
        4 agent.availability_changed Agent/7 status=not_ready
        5 agent.availability_changed Agent/7 status=not_ready
        6 agent.availability_changed Agent/7 status=available queue=q1
        6 agent.availability_changed Agent/7 status=available
        7 agent.availability_changed Agent/7 status=available queue=q1
        8 agent.queue_left Agent/9 queue=q1
        8 agent.logged_out Agent/9
        9 agent.logged_out Agent/8
        9 agent.logged_out Agent/7
        """,
    ),
    "a call that dialled a number, and a number that makes no sense": (
        """
        0|c1|NONE|NONE|DID|80012345
        1|c1|q1|NONE|ENTERQUEUE||x|99999999
        9|c1|q1|NONE|ABANDON|1|1|-5
        """,
        """
        0 offered c1 did=80012345
        1 enqueued c1 queue=q1 reason=new
        9 abandoned c1 queue=q1 position=1
        """,
    ),
    "lines whose begin was not seen": (
        """
        0|c1|q1|Agent/8|COMPLETEAGENT|8|12|1
        1|c2|q1|NONE|ABANDON|1|1|9
        """,
        """
        -12 answered c1 queue=q1 agent=Agent/8 wait_ms=8000
        0 ended c1 queue=q1 agent=Agent/8 ended_by=agent talk_ms=12000
        0 agent.queue_joined Agent/8 queue=q1
        0 agent.activity_changed Agent/8 activity=idle
        1 abandoned c2 queue=q1 wait_ms=9000 position=1
        """,
    ),
    "an agent hangs up during the announcement, and the next one answers": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        5|c1|q1|Agent/8|AGENTDUMP|
        9|c1|q1|Agent/9|CONNECT|9|c2|3
        12|c1|q1|Agent/9|AGENTDUMP|
        20|c2|q1|NONE|ENTERQUEUE||x|1
        25|c2|q1|Agent/8|AGENTDUMP|
        30|c2|q1|NONE|ABANDON|1|1|10
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        5 offer_ended c1 queue=q1 agent=Agent/8 result=rejected
        5 agent.queue_joined Agent/8 queue=q1
        9 answered c1 queue=q1 agent=Agent/9 wait_ms=9000 ring_ms=3000
        9 agent.queue_joined Agent/9 queue=q1
        9 agent.activity_changed Agent/9 activity=on_contact
        12 ended c1 queue=q1 agent=Agent/9 ended_by=agent
        12 agent.activity_changed Agent/9 activity=idle
        20 enqueued c2 queue=q1 position=1 reason=new
        25 offer_ended c2 queue=q1 agent=Agent/8 result=rejected
        30 abandoned c2 queue=q1 wait_ms=10000 position=1
        """,
    ),
    "the PBX cannot connect the two, and tells the same exit again as an abandon": (
        """
        10|c2|q1|NONE|ENTERQUEUE||x|1
        15|c2|q1|Agent/8|SYSCOMPAT|
        15|c2|q1|NONE|ABANDON|1|1|5
        20|c3|q1|Agent/8|CONNECT|2|c4|1
        25|c3|q1|Agent/8|SYSCOMPAT|
        """,
        """
        10 enqueued c2 queue=q1 position=1 reason=new
        15 agent.queue_joined Agent/8 queue=q1
        15 dequeued c2 queue=q1 agent=Agent/8 reason=system
        20 answered c3 queue=q1 agent=Agent/8 wait_ms=2000 ring_ms=1000
        20 agent.activity_changed Agent/8 activity=on_contact
        25 ended c3 queue=q1 agent=Agent/8 ended_by=system
        25 agent.activity_changed Agent/8 activity=idle
        """,
    ),
    "a phone that is busy or away has not rung": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        1|c1|q1|Agent/8|RINGNOANSWER|0
        2|c1|q1|Agent/8|RINGNOANSWER|1000
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        1 offer_ended c1 queue=q1 agent=Agent/8 result=rescinded
        1 agent.queue_joined Agent/8 queue=q1
        2 offer_ended c1 queue=q1 agent=Agent/8 result=missed ring_ms=1000
        """,
    ),
    "a call is withdrawn from the queue by the manager interface": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        40|c1|q1|NONE|WITHDRAW|1|1|40|vip 05550000001
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        40 dequeued c1 queue=q1 wait_ms=40000 position=1 reason=moved
        """,
    ),
    "a caller is put on hold twice, and once more until the end": (
        """
        0|c1|q1|Agent/8|CONNECT|0|c2|0
        10|c1|q1|Agent/8|CALLERONHOLD|PARK
        15|c1|q1|Agent/8|CALLEROFFHOLD|5|PARK
        20|c1|q1|Agent/8|CALLERONHOLD|
        21|c1|q1|Agent/8|CALLERONHOLD|
        40|c1|q1|Agent/8|BLINDTRANSFER|100|out|0|40|1
        41|c1|q1|Agent/8|CALLEROFFHOLD|
        """,
        """
        0 answered c1 queue=q1 agent=Agent/8
        0 agent.queue_joined Agent/8 queue=q1
        0 agent.activity_changed Agent/8 activity=on_contact
        10 held c1 queue=q1 agent=Agent/8
        15 resumed c1 queue=q1 agent=Agent/8
        20 held c1 queue=q1 agent=Agent/8
        40 transferred c1 queue=q1 agent=Agent/8 kind=blind talk_ms=15000 hold_ms=25000
        40 agent.activity_changed Agent/8 activity=idle
        """,
    ),
    "an agent calls customers in the name of a queue": (
        """
        0|M1|q1|NONE|CALLOUTBOUND||05550000001
        0|M1|q1|Agent/8|CONNECT|0
        60|M1|q1|Agent/8|COMPLETEAGENT|0|60|1
        70|M2|q1|NONE|CALLOUTBOUND||05550000001
        90|M2|q1|NONE|ABANDON|1|1|20
        100|o1|q1|Agent/8|OUTCALL|ANSWER|25|30|05550000001
        130|o2|q1|Agent/8|OUTCALL|NOANSWER||30|05550000001
        """,
        """
        0 answered M1 queue=q1 agent=Agent/8 direction=outbound
        0 agent.queue_joined Agent/8 queue=q1
        0 agent.activity_changed Agent/8 activity=on_contact
        60 ended M1 queue=q1 agent=Agent/8 direction=outbound ended_by=agent talk_ms=60000
        60 agent.activity_changed Agent/8 activity=idle
        90 abandoned M2 queue=q1 direction=outbound wait_ms=20000 position=1
        100 ended o1 queue=q1 agent=Agent/8 direction=outbound talk_ms=25000
        """,
    ),
    "an agent wraps up for as long as the line says": (
        """
        0|c1|q1|Agent/8|CONNECT|0|c2|0
        10|c1|q1|Agent/8|COMPLETECALLER|0|10|1
        10|NONE|NONE|Agent/8|WRAPUPSTART|15
        30|c3|q1|Agent/8|CONNECT|0|c4|0
        40|c3|q1|Agent/8|COMPLETECALLER|0|10|1
        40|NONE|NONE|Agent/8|WRAPUPSTART|15
        45|c5|q1|Agent/8|CONNECT|0|c6|0
        50|c5|q1|Agent/8|COMPLETECALLER|0|5|1
        50|NONE|NONE|Agent/8|WRAPUPSTART|
        60|NONE|NONE|Agent/9|WRAPUPSTART|3
        """,
        """
        0 answered c1 queue=q1 agent=Agent/8
        0 agent.queue_joined Agent/8 queue=q1
        0 agent.activity_changed Agent/8 activity=on_contact
        10 ended c1 queue=q1 agent=Agent/8 ended_by=customer talk_ms=10000
        10 agent.activity_changed Agent/8 activity=idle
        10 agent.activity_changed Agent/8 activity=acw
        10 wrapup_started c1 queue=q1 agent=Agent/8
        25 agent.activity_changed Agent/8 activity=idle
        25 wrapup_ended c1 queue=q1 agent=Agent/8 acw_ms=15000
        30 answered c3 queue=q1 agent=Agent/8
        30 agent.activity_changed Agent/8 activity=on_contact
        40 ended c3 queue=q1 agent=Agent/8 ended_by=customer talk_ms=10000
        40 agent.activity_changed Agent/8 activity=idle
        40 agent.activity_changed Agent/8 activity=acw
        40 wrapup_started c3 queue=q1 agent=Agent/8
        45 answered c5 queue=q1 agent=Agent/8
        45 agent.activity_changed Agent/8 activity=idle
        45 wrapup_ended c3 queue=q1 agent=Agent/8 acw_ms=5000
        45 agent.activity_changed Agent/8 activity=on_contact
        50 ended c5 queue=q1 agent=Agent/8 ended_by=customer talk_ms=5000
        50 agent.activity_changed Agent/8 activity=idle
        60 agent.activity_changed Agent/9 activity=acw
        63 agent.activity_changed Agent/9 activity=idle
        """,
    ),
    "a queue is spelled as it was seen first, and is one queue": (
        """
        0|MANAGER|sales|Agent/8|ADDMEMBER|
        1|c1|Sales|NONE|ENTERQUEUE||x|1
        2|c1|sales|Agent/8|RINGNOANSWER|1000
        3|c1|SALES|NONE|ABANDON|1|1|2
        """,
        """
        0 agent.queue_joined Agent/8 queue=sales
        0 agent.logged_in Agent/8
        1 enqueued c1 queue=sales position=1 reason=new
        2 offer_ended c1 queue=sales agent=Agent/8 result=missed ring_ms=1000
        3 abandoned c1 queue=sales wait_ms=2000 position=1
        """,
    ),
    "a customer is transferred to a queue in which the agent's own call waits": (
        """
        0|26|q1|NONE|ENTERQUEUE||x|1
        12|26|q1|Agent/8|CONNECT|12|27|11
        131|30|q2|NONE|ENTERQUEUE||Agent/8|1
        132|30|q1|Agent/8|ATTENDEDTRANSFER|APP|Queue|12|120|1
        135|26|q2|Agent/9|RINGNOANSWER|3000
        138|26|q2|Agent/7|CONNECT|7|31|3
        311|26|q2|Agent/7|COMPLETEAGENT|7|173|1
        """,
        """
        0 enqueued 26 queue=q1 position=1 reason=new
        12 answered 26 queue=q1 agent=Agent/8 wait_ms=12000 ring_ms=11000
        12 agent.queue_joined Agent/8 queue=q1
        12 agent.activity_changed Agent/8 activity=on_contact
        131 enqueued 30 queue=q2 position=1 reason=new
        132 transferred 26 queue=q1 agent=Agent/8 kind=attended talk_ms=120000
        132 agent.activity_changed Agent/8 activity=idle
        135 offer_ended 30 queue=q2 agent=Agent/9 result=missed ring_ms=3000
        135 agent.queue_joined Agent/9 queue=q2
        138 answered 30 queue=q2 agent=Agent/7 wait_ms=7000 ring_ms=3000
        138 agent.queue_joined Agent/7 queue=q2
        138 agent.activity_changed Agent/7 activity=on_contact
        311 ended 30 queue=q2 agent=Agent/7 ended_by=agent talk_ms=173000
        311 agent.activity_changed Agent/7 activity=idle
        """,
    ),
    "the same, with the answer logged before the transfer": (
        """
        0|26|q1|NONE|ENTERQUEUE||x|1
        12|26|q1|Agent/8|CONNECT|12|27|11
        131|30|q2|NONE|ENTERQUEUE||Agent/8|1
        135|26|q2|Agent/9|RINGNOANSWER|3000
        138|26|q2|Agent/7|CONNECT|7|31|3
        138|30|q1|Agent/8|ATTENDEDTRANSFER|APP|Queue|12|126|1
        311|26|q2|Agent/7|COMPLETEAGENT|7|173|1
        """,
        """
        0 enqueued 26 queue=q1 position=1 reason=new
        12 answered 26 queue=q1 agent=Agent/8 wait_ms=12000 ring_ms=11000
        12 agent.queue_joined Agent/8 queue=q1
        12 agent.activity_changed Agent/8 activity=on_contact
        131 enqueued 30 queue=q2 position=1 reason=new
        135 offer_ended 26 queue=q2 enqueue_seq=2 agent=Agent/9 result=missed ring_ms=3000
        135 agent.queue_joined Agent/9 queue=q2
        138 answered 30 queue=q2 agent=Agent/7 wait_ms=7000 ring_ms=3000
        138 agent.queue_joined Agent/7 queue=q2
        138 agent.activity_changed Agent/7 activity=on_contact
        138 transferred 26 queue=q1 agent=Agent/8 kind=attended talk_ms=126000
        138 agent.activity_changed Agent/8 activity=idle
        311 ended 30 queue=q2 agent=Agent/7 ended_by=agent talk_ms=173000
        311 agent.activity_changed Agent/7 activity=idle
        """,
    ),
    "the same, and the customer gives up in the second queue": (
        """
        0|26|q1|NONE|ENTERQUEUE||x|1
        12|26|q1|Agent/8|CONNECT|12|27|11
        131|30|q2|NONE|ENTERQUEUE||Agent/8|1
        132|30|q1|Agent/8|ATTENDEDTRANSFER|APP|Queue|12|120|1
        150|26|q2|NONE|ABANDON|1|1|19
        """,
        """
        0 enqueued 26 queue=q1 position=1 reason=new
        12 answered 26 queue=q1 agent=Agent/8 wait_ms=12000 ring_ms=11000
        12 agent.queue_joined Agent/8 queue=q1
        12 agent.activity_changed Agent/8 activity=on_contact
        131 enqueued 30 queue=q2 position=1 reason=new
        132 transferred 26 queue=q1 agent=Agent/8 kind=attended talk_ms=120000
        132 agent.activity_changed Agent/8 activity=idle
        150 abandoned 30 queue=q2 wait_ms=19000 position=1
        """,
    ),
    "the same within one queue": (
        """
        0|26|q1|NONE|ENTERQUEUE||x|1
        12|26|q1|Agent/8|CONNECT|12|27|11
        131|30|q1|NONE|ENTERQUEUE||Agent/8|1
        132|30|q1|Agent/8|ATTENDEDTRANSFER|APP|Queue|12|120|1
        138|26|q1|Agent/7|CONNECT|7|31|3
        311|26|q1|Agent/7|COMPLETEAGENT|7|173|1
        """,
        """
        0 enqueued 26 queue=q1 position=1 reason=new
        12 answered 26 queue=q1 agent=Agent/8 wait_ms=12000 ring_ms=11000
        12 agent.queue_joined Agent/8 queue=q1
        12 agent.activity_changed Agent/8 activity=on_contact
        131 enqueued 30 queue=q1 position=1 reason=new
        132 transferred 26 queue=q1 agent=Agent/8 kind=attended talk_ms=120000
        132 agent.activity_changed Agent/8 activity=idle
        138 answered 30 queue=q1 agent=Agent/7 wait_ms=7000 ring_ms=3000
        138 agent.queue_joined Agent/7 queue=q1
        138 agent.activity_changed Agent/7 activity=on_contact
        311 ended 30 queue=q1 agent=Agent/7 ended_by=agent talk_ms=173000
        311 agent.activity_changed Agent/7 activity=idle
        """,
    ),
    "a conversation that began as one call ends as another that was never in a queue": (
        """
        0|c1|q1|NONE|ENTERQUEUE||x|1
        5|c1|q1|Agent/8|CONNECT|5|c2|4
        65|c9|q1|Agent/8|COMPLETECALLER|5|60|1
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        5 answered c1 queue=q1 agent=Agent/8 wait_ms=5000 ring_ms=4000
        5 agent.queue_joined Agent/8 queue=q1
        5 agent.activity_changed Agent/8 activity=on_contact
        65 ended c1 queue=q1 agent=Agent/8 ended_by=customer talk_ms=60000
        65 agent.activity_changed Agent/8 activity=idle
        """,
    ),
    "what a line tells of another visit than the known one begins that": (
        """
        0|c1|q1|Agent/8|CONNECT|5|c2|4
        20|c1|q1|Agent/8|COMPLETECALLER|5|20|1
        100|c1|q1|Agent/8|CONNECT|30|c3|4
        160|c1|q1|Agent/8|COMPLETECALLER|30|60|1
        300|c1|q1|Agent/8|COMPLETEAGENT|10|40|1
        """,
        """
        0 answered c1 queue=q1 agent=Agent/8 wait_ms=5000 ring_ms=4000
        0 agent.queue_joined Agent/8 queue=q1
        0 agent.activity_changed Agent/8 activity=on_contact
        20 ended c1 queue=q1 agent=Agent/8 ended_by=customer talk_ms=20000
        20 agent.activity_changed Agent/8 activity=idle
        100 answered c1 queue=q1 enqueue_seq=2 agent=Agent/8 wait_ms=30000 ring_ms=4000
        100 agent.activity_changed Agent/8 activity=on_contact
        160 ended c1 queue=q1 enqueue_seq=2 agent=Agent/8 ended_by=customer talk_ms=60000
        160 agent.activity_changed Agent/8 activity=idle
        260 answered c1 queue=q1 enqueue_seq=3 agent=Agent/8 wait_ms=10000
        300 ended c1 queue=q1 enqueue_seq=3 agent=Agent/8 ended_by=agent talk_ms=40000
        300 agent.activity_changed Agent/8 activity=idle
        """,
    ),
    "the last queue left is the end of the day": (
        """
        0|MANAGER|q1|Agent/8|ADDMEMBER|
        0|MANAGER|q2|Agent/8|ADDMEMBER|
        10|MANAGER|q1|Agent/8|REMOVEMEMBER|
        11|c1|q1|Agent/8|RINGNOANSWER|5000
        12|MANAGER|q2|Agent/8|REMOVEMEMBER|
        20|c2|q3|Agent/8|RINGNOANSWER|5000
        """,
        """
        0 agent.queue_joined Agent/8 queue=q1
        0 agent.logged_in Agent/8
        0 agent.queue_joined Agent/8 queue=q2
        10 agent.queue_left Agent/8 queue=q1
        11 offer_ended c1 queue=q1 agent=Agent/8 result=missed ring_ms=5000
        12 agent.queue_left Agent/8 queue=q2
        12 agent.logged_out Agent/8
        20 offer_ended c2 queue=q3 agent=Agent/8 result=missed ring_ms=5000
        20 agent.queue_joined Agent/8 queue=q3
        20 agent.logged_in Agent/8
        """,
    ),
    "an unpause is no login, an answer is": (
        """
        0|NONE|NONE|Agent/8|AGENTLOGIN|SIP/8
        1|NONE|q1|Agent/8|PAUSE|lunch
        2|NONE|NONE|Agent/8|AGENTLOGOFF|SIP/8|2
        3|NONE|NONE|Agent/8|UNPAUSEALL|
        3|NONE|q1|Agent/8|UNPAUSE|
        9|c1|q1|Agent/8|CONNECT|8|c2|4
        """,
        """
        0 agent.logged_in Agent/8
        1 agent.queue_joined Agent/8 queue=q1
        1 agent.availability_changed Agent/8 status=not_ready reason=lunch queue=q1
        1 agent.availability_changed Agent/8 status=not_ready
        2 agent.logged_out Agent/8
        3 agent.availability_changed Agent/8 status=available queue=q1
        3 agent.availability_changed Agent/8 status=available queue=q1
        9 answered c1 queue=q1 agent=Agent/8 wait_ms=8000 ring_ms=4000
        9 agent.logged_in Agent/8
        9 agent.activity_changed Agent/8 activity=on_contact
        """,
    ),
    "who unpauses in one queue is paused in the others": (
        """
        0|MANAGER|q1|Agent/8|ADDMEMBER|
        0|MANAGER|q2|Agent/8|ADDMEMBER|
        5|NONE|NONE|Agent/8|PAUSEALL|lunch
        9|NONE|q1|Agent/8|UNPAUSE|
        """,
        """
        0 agent.queue_joined Agent/8 queue=q1
        0 agent.logged_in Agent/8
        0 agent.queue_joined Agent/8 queue=q2
        5 agent.availability_changed Agent/8 status=not_ready queue=q1
        5 agent.availability_changed Agent/8 status=not_ready queue=q2
        5 agent.availability_changed Agent/8 status=not_ready reason=lunch
        9 agent.availability_changed Agent/8 status=available queue=q1
        9 agent.availability_changed Agent/8 status=available
        """,
    ),
    "a restart ends logins by channel, and no others": (
        """
        0|NONE|NONE|Agent/7|AGENTLOGIN|SIP/7
        1|x.4|NONE|Agent/8|AGENTCALLBACKLOGIN|1002@pcm-dev
        5|NONE|NONE|NONE|QUEUESTART|
        6|NONE|NONE|NONE|QUEUESTART|
        """,
        """
        0 agent.logged_in Agent/7
        1 agent.logged_in Agent/8
        5 agent.logged_out Agent/7
        """,
    ),
}
