"""Events of the manager interface that are known and say nothing of a queue, or only what others say, too."""

from collections.abc import Mapping
from typing import Final

__all__ = ["IGNORED_EVENTS"]

_REASONS: Final[Mapping[str, str]] = {
    "answers to actions of our own": "Response Pong QueueSummary QueueSummaryComplete OriginateResponse",
    "the state of Asterisk itself": "FullyBooted Shutdown Reload ModuleLoadReport LogChannel Alarm AlarmClear",
    "channels, of which a queue tells what matters": (
        "Newchannel Newstate NewCallerid NewConnectedLine NewAccountCode Rename ChannelUpdate Bridge Dial "
        "Link Unlink DialBegin DialEnd DialState LocalBridge LocalOptimizationBegin LocalOptimizationEnd "
        "SoftHangupRequest HangupHandlerPush HangupHandlerPop HangupHandlerRun Masquerade Transfer Pickup MusicOnHold "
        "MusicOnHoldStart MusicOnHoldStop DTMF DTMFBegin DTMFEnd AGIExec AGIExecStart AGIExecEnd AsyncAGIStart "
        "AsyncAGIExec AsyncAGIEnd ChanSpyStart ChanSpyStop MonitorStart MonitorStop MixMonitorStart MixMonitorStop "
        "MixMonitorMute FAXStatus AMD ChannelTalkingStart ChannelTalkingStop"
    ),
    "bridges": (
        "BridgeCreate BridgeDestroy BridgeEnter BridgeLeave BridgeMerge BridgeInfoChannel BridgeInfoComplete "
        "BridgeVideoSourceUpdate"
    ),
    "a blind transfer, which AgentComplete tells of the conversation that it ends": "BlindTransfer",
    "a parked caller has left the conversation by a transfer, and is in no queue": (
        "ParkedCall ParkedCallTimeOut ParkedCallGiveUp ParkedCallSwap UnParkedCall ParkedCallsComplete"
    ),
    "settings of a member": "QueueMemberPenalty QueueMemberRinginuse",
    "devices and registrations": (
        "DeviceStateChange DeviceStateListComplete ExtensionStatus PresenceStateChange PresenceStatus PeerStatus "
        "Registry ContactStatus ContactStatusDetail DNDState MCID MessageWaiting MiniVoiceMail"
    ),
    "records and quality of calls": "CEL Cdr RTCPSent RTCPReceived RTPSenderStat RTPReceiverStat",
    "conferences": (
        "ConfbridgeStart ConfbridgeEnd ConfbridgeJoin ConfbridgeLeave ConfbridgeMute ConfbridgeUnmute ConfbridgeRecord "
        "ConfbridgeStopRecord ConfbridgeTalking MeetmeJoin MeetmeLeave MeetmeEnd MeetmeMute MeetmeTalking"
    ),
    "logins and their failures": (
        "SuccessfulAuth ChallengeSent ChallengeResponseFailed FailedACL InvalidAccountID InvalidPassword "
        "InvalidTransport RequestBadFormat RequestNotAllowed RequestNotSupported SessionLimit SessionTimeout "
        "UnexpectedAddress AuthMethodNotAllowed LoadAverageLimit MemoryLimit"
    ),
    "written by dialplans, each as it likes": "UserEvent",
}

IGNORED_EVENTS: Final[Mapping[str, str]] = {
    name: reason for reason, names in _REASONS.items() for name in names.split()
}
"""By name, with the reason."""
