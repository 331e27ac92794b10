"""What a PBX says, and what is told of it: `seconds Event headers`, and `seconds event`."""

__all__ = ["MANAGER_STORIES"]

MANAGER_STORIES = {
    "a call is answered and the agent hangs up": (
        """
        0 QueueCallerJoin Uniqueid=c1 Queue=q1 Position=1 Count=1
        1 AgentCalled Uniqueid=c1 Queue=q1 MemberName=Ana Interface=PJSIP/1 DestUniqueid=c2
        4 QueueCallerLeave Uniqueid=c1 Queue=q1 Position=1 Count=0
        4 AgentConnect Uniqueid=c1 Queue=q1 MemberName=Ana DestUniqueid=c2 HoldTime=4 RingTime=3
        9 AgentComplete Uniqueid=c1 Queue=q1 MemberName=Ana DestUniqueid=c2 HoldTime=4 TalkTime=5 Reason=agent
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        1 offered_to_agent c1 queue=q1 agent=Ana
        1 agent.queue_joined Ana queue=q1
        1 agent.activity_changed Ana activity=reserved
        4 answered c1 queue=q1 agent=Ana wait_ms=4000 ring_ms=3000
        4 agent.activity_changed Ana activity=on_contact
        9 ended c1 queue=q1 agent=Ana ended_by=agent talk_ms=5000
        9 agent.activity_changed Ana activity=idle
        """,
    ),
    "the answer may be told before the exit, and by the names of old versions": (
        """
        0 Join Uniqueid=c1 Queue=q1 Position=1 Count=1
        4 AgentConnect Uniqueid=c1 Queue=q1 Member=SIP/1 BridgedChannel=c2 Holdtime=4 Ringtime=3
        4 Leave Uniqueid=c1 Queue=q1 Count=0
        5 Hold Uniqueid=c2 Status=On
        7 Hold Uniqueid=c2 Status=Off
        9 AgentComplete Uniqueid=c1 Queue=q1 Member=SIP/1 BridgedChannel=c2 Holdtime=4 TalkTime=5 Reason=caller
        10 QueueMemberPaused Queue=q1 MemberName=SIP/1 Location=SIP/1 Paused=1 Reason=Lunch
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        4 answered c1 queue=q1 agent=SIP/1 wait_ms=4000 ring_ms=3000
        4 agent.queue_joined SIP/1 queue=q1
        4 agent.activity_changed SIP/1 activity=on_contact
        5 held c1 queue=q1 agent=SIP/1
        7 resumed c1 queue=q1 agent=SIP/1
        9 ended c1 queue=q1 agent=SIP/1 ended_by=customer talk_ms=3000 hold_ms=2000
        9 agent.activity_changed SIP/1 activity=idle
        10 agent.availability_changed SIP/1 status=not_ready reason=Lunch queue=q1
        10 agent.availability_changed SIP/1 status=not_ready
        """,
    ),
    "who asked to hang up has given up, and it rings no more": (
        """
        0 QueueCallerJoin Uniqueid=c1 Queue=q1 Position=1
        1 AgentCalled Uniqueid=c1 Queue=q1 MemberName=Ana
        5 HangupRequest Uniqueid=c1
        5 QueueCallerAbandon Uniqueid=c1 Queue=q1 Position=1 OriginalPosition=1 HoldTime=5
        5 QueueCallerLeave Uniqueid=c1 Queue=q1 Position=1
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        1 offered_to_agent c1 queue=q1 agent=Ana
        1 agent.queue_joined Ana queue=q1
        1 agent.activity_changed Ana activity=reserved
        5 abandoned c1 queue=q1 wait_ms=5000 position=1
        5 offer_ended c1 queue=q1 agent=Ana result=canceled
        5 agent.activity_changed Ana activity=idle
        """,
    ),
    "what Asterisk calls an abandon is a timeout where the variable says so": (
        """
        0 QueueCallerJoin Uniqueid=c1 Queue=q1 Position=1
        9 QueueCallerAbandon Uniqueid=c1 Queue=q1 Position=1 OriginalPosition=1 HoldTime=9
        9 QueueCallerLeave Uniqueid=c1 Queue=q1 Position=1
        9 VarSet Uniqueid=c1 Variable=QUEUESTATUS Value=TIMEOUT
        9 QueueCallerJoin Uniqueid=c1 Queue=q2 Position=1
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        9 dequeued c1 queue=q1 wait_ms=9000 position=1 reason=timeout
        9 enqueued c1 queue=q2 enqueue_seq=2 position=1 reason=requeue
        """,
    ),
    "without the variable, who goes on to another queue has not given up": (
        """
        0 QueueCallerJoin Uniqueid=c1 Queue=q1 Position=1
        9 QueueCallerAbandon Uniqueid=c1 Queue=q1 Position=1 HoldTime=9
        9 QueueCallerLeave Uniqueid=c1 Queue=q1 Position=1
        9 QueueCallerJoin Uniqueid=c1 Queue=q2 Position=1
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        9 dequeued c1 queue=q1 wait_ms=9000 position=1 reason=overflow
        9 enqueued c1 queue=q2 enqueue_seq=2 position=1 reason=requeue
        """,
    ),
    "where nothing else is told an abandon is one": (
        """
        0 QueueCallerJoin Uniqueid=c1 Queue=q1 Position=1
        9 QueueCallerAbandon Uniqueid=c1 Queue=q1 Position=1 HoldTime=9
        9 QueueCallerLeave Uniqueid=c1 Queue=q1 Position=1
        9 Hangup Uniqueid=c1
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        9 abandoned c1 queue=q1 wait_ms=9000 position=1
        """,
    ),
    "who leaves without an answer or an abandon has pressed a key": (
        """
        0 QueueCallerJoin Uniqueid=c1 Queue=q1 Position=1
        4 QueueCallerLeave Uniqueid=c1 Queue=q1 Position=1
        5 QueueCallerJoin Uniqueid=c2 Queue=q1 Position=1
        7 QueueCallerJoin Uniqueid=c3 Queue=q1 Position=2
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        5 enqueued c2 queue=q1 position=1 reason=new
        4 dequeued c1 queue=q1 position=1 reason=key
        7 enqueued c3 queue=q1 position=2 reason=new
        """,
    ),
    "who is not let in is blocked in the queue that the dialplan named": (
        """
        0 QueueParams Queue=q1
        0 QueueParams Queue=q2
        0 QueueStatusComplete
        1 Newexten Uniqueid=c1 Extension=100 Application=Queue AppData=q1,t,,,20
        1 VarSet Uniqueid=c1 Exten=100 Variable=QUEUESTATUS Value=FULL
        2 VarSet Uniqueid=c2 Exten=q2 Variable=QUEUESTATUS Value=JOINEMPTY
        3 VarSet Uniqueid=c3 Exten=100 Variable=QUEUESTATUS Value=JOINUNAVAIL
        """,
        """
        1 blocked c1 queue=q1 reason=full
        2 blocked c2 queue=q2 reason=no_agents
        """,
    ),
    "a transfer is attended where the calls were joined before, and the channel may be gone": (
        """
        0 AgentConnect Uniqueid=c1 Queue=q1 MemberName=Ana DestUniqueid=c2 HoldTime=4 RingTime=3
        5 AttendedTransfer OrigTransfererUniqueid=c2 SecondTransfererUniqueid=c7 TransfereeUniqueid=c1
        5 AgentComplete Uniqueid=c1 Queue=q1 MemberName=Ana DestUniqueid=c2 HoldTime=4 TalkTime=5 Reason=transfer
        6 AgentConnect Uniqueid=c3 Queue=q1 MemberName=Ana DestUniqueid=c4 HoldTime=1 RingTime=1
        9 AgentComplete Queue=q1 MemberName=Ana HoldTime=1 TalkTime=3 Reason=transfer
        """,
        """
        0 answered c1 queue=q1 agent=Ana wait_ms=4000 ring_ms=3000
        0 agent.queue_joined Ana queue=q1
        0 agent.activity_changed Ana activity=on_contact
        5 transferred c1 queue=q1 agent=Ana kind=attended talk_ms=5000
        5 agent.activity_changed Ana activity=idle
        6 answered c3 queue=q1 agent=Ana wait_ms=1000 ring_ms=1000
        6 agent.activity_changed Ana activity=on_contact
        9 transferred c3 queue=q1 agent=Ana kind=blind talk_ms=3000
        9 agent.activity_changed Ana activity=idle
        """,
    ),
    "ring-all: who did not get the call is free again": (
        """
        0 QueueCallerJoin Uniqueid=c1 Queue=q1 Position=1
        1 AgentCalled Uniqueid=c1 Queue=q1 MemberName=Ana
        1 AgentCalled Uniqueid=c1 Queue=q1 MemberName=Bo
        2 AgentRingNoAnswer Uniqueid=c1 Queue=q1 MemberName=Bo RingTime=1000
        3 AgentCalled Uniqueid=c1 Queue=q1 MemberName=Bo
        4 AgentDump Uniqueid=c1 Queue=q1 MemberName=Bo
        5 AgentCalled Uniqueid=c1 Queue=q1 MemberName=Bo
        6 AgentConnect Uniqueid=c1 Queue=q1 MemberName=Ana DestUniqueid=c2 HoldTime=6 RingTime=5
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        1 offered_to_agent c1 queue=q1 agent=Ana
        1 agent.queue_joined Ana queue=q1
        1 agent.activity_changed Ana activity=reserved
        1 offered_to_agent c1 queue=q1 agent=Bo
        1 agent.queue_joined Bo queue=q1
        1 agent.activity_changed Bo activity=reserved
        2 offer_ended c1 queue=q1 agent=Bo result=missed ring_ms=1000
        2 agent.activity_changed Bo activity=idle
        3 offered_to_agent c1 queue=q1 agent=Bo
        3 agent.activity_changed Bo activity=reserved
        4 offer_ended c1 queue=q1 agent=Bo result=rejected
        4 agent.activity_changed Bo activity=idle
        5 offered_to_agent c1 queue=q1 agent=Bo
        5 agent.activity_changed Bo activity=reserved
        6 answered c1 queue=q1 agent=Ana wait_ms=6000 ring_ms=5000
        6 agent.activity_changed Ana activity=on_contact
        6 offer_ended c1 queue=q1 agent=Bo result=canceled
        6 agent.activity_changed Bo activity=idle
        """,
    ),
    "members come, pause and go; what is said again tells nothing": (
        """
        0 QueueMemberAdded Queue=q1 MemberName=Ana Paused=0
        0 QueueMemberStatus Queue=Q1 MemberName=Ana Paused=0 Status=1
        5 QueueMemberPause Queue=q1 MemberName=Ana Paused=1 PausedReason=Lunch
        5 QueueMemberStatus Queue=q1 MemberName=Ana Paused=1 Status=2
        8 QueueMemberPause Queue=q1 MemberName=Ana Paused=0
        9 QueueMemberRemoved Queue=q1 MemberName=Ana Paused=0
        9 AgentLogin Agent=1001
        """,
        """
        0 agent.queue_joined Ana queue=q1
        0 agent.logged_in Ana
        5 agent.availability_changed Ana status=not_ready reason=Lunch queue=q1
        5 agent.availability_changed Ana status=not_ready
        8 agent.availability_changed Ana status=available queue=q1
        8 agent.availability_changed Ana status=available
        9 agent.queue_left Ana queue=q1
        9 agent.logged_out Ana
        9 agent.logged_in Agent/1001
        """,
    ),
    "a snapshot tells who waits since when, who serves, and who is gone": (
        """
        0 QueueCallerJoin Uniqueid=c1 Queue=q1 Position=1
        0 QueueCallerJoin Uniqueid=c2 Queue=q1 Position=2
        0 QueueMemberAdded Queue=q1 MemberName=Ana Paused=0
        0 QueueMemberAdded Queue=q1 MemberName=Bo Paused=0
        60 QueueParams Queue=q1 Calls=2
        60 QueueMember Queue=q1 Name=Ana Paused=1 PausedReason=Lunch InCall=0 LastCall=0
        60 QueueEntry Queue=q1 Uniqueid=c2 Position=1 Wait=60
        60 QueueEntry Queue=q1 Uniqueid=c3 Position=2 Wait=20
        60 QueueStatusComplete
        """,
        """
        0 enqueued c1 queue=q1 position=1 reason=new
        0 enqueued c2 queue=q1 position=2 reason=new
        0 agent.queue_joined Ana queue=q1
        0 agent.logged_in Ana
        0 agent.queue_joined Bo queue=q1
        0 agent.logged_in Bo
        60 agent.availability_changed Ana status=not_ready reason=Lunch queue=q1
        60 agent.availability_changed Ana status=not_ready
        60 agent.queue_left Bo queue=q1
        60 agent.logged_out Bo
        60 dequeued c1 queue=q1 reason=system
        40 enqueued c3 queue=q1 position=2 reason=new
        """,
    ),
}
