package dev.qemuoperator.api;

/**
 * The condition types of a VirtualMachine and every reason each can have. All types are present
 * from the first pass; a message says what to do. Polarity: all are good when True but {@link
 * RestartRequired}.
 */
public final class Conditions {

  private Conditions() {}

  /** The manifest and everything it names can be used. False: nothing new is started. */
  public static final class Accepted {
    public static final String TYPE = "Accepted";

    /** Nothing to complain of. */
    public static final String VALID = "Valid";

    /** A ConfigMap or Secret of spec.cloudInit.sources does not exist (yet). */
    public static final String SOURCE_NOT_FOUND = "CloudInitSourceNotFound";

    /** A layer of cloud-init is not what cloud-init could read; the message has place and cause. */
    public static final String CLOUD_INIT_INVALID = "CloudInitInvalid";

    /** A disk's storage.claim.existing is the claim that is made for another of its disks. */
    public static final String CLAIM_OF_ANOTHER_DISK = "ClaimOfAnotherDisk";

    /** UEFI's variables need a volume with a file system, and no disk has one. */
    public static final String NO_PLACE_FOR_UEFI_VARIABLES = "NoPlaceForUefiVariables";

    /** A pod, claim, Secret or Service that somebody else made has the name this VM needs. */
    public static final String NAME_TAKEN = "NameTaken";

    /** The API server refused a child object; the message is its own. */
    public static final String REFUSED = "RefusedByApiServer";

    /** The annotation qemu-operator.dev/reconcile: disabled; the status is still reported. */
    public static final String SUSPENDED = "ReconcileDisabled";

    private Accepted() {}
  }

  /** Claims are bound and base images are on the node. */
  public static final class DisksReady {
    public static final String TYPE = "DisksReady";
    public static final String READY = "Ready";

    /** No pod has asked for them yet. */
    public static final String NOT_REQUESTED = "NotRequested";

    /** The volume of a claim is being made. */
    public static final String BINDING_CLAIM = "BindingClaim";

    /** A claim is not bound and has a warning, which is the message. */
    public static final String CLAIM_PENDING = "ClaimPending";

    /** A claim lost its volume. */
    public static final String CLAIM_LOST = "ClaimLost";

    /** There is no PersistentVolumeClaim of the name in a disk's storage.claim.existing (yet). */
    public static final String CLAIM_NOT_FOUND = "ClaimNotFound";

    /** Another VirtualMachine runs from the claim; this one waits for it. */
    public static final String CLAIM_IN_USE = "ClaimInUse";

    /** The kubelet cannot mount a volume; the message is its own. */
    public static final String VOLUME_NOT_MOUNTED = "VolumeNotMounted";

    /** There is no VirtualMachineImage of the name in a disk's source.image (yet). */
    public static final String IMAGE_NOT_FOUND = "ImageNotFound";

    /** The VirtualMachineImage of a disk cannot be used yet; the message is its own. */
    public static final String IMAGE_NOT_READY = "ImageNotReady";

    /** The sources of a disk's VirtualMachineImage are being looked up. */
    public static final String RESOLVING_IMAGE = "ResolvingImage";

    /** A base image is on its way to the node. */
    public static final String FETCHING = "FetchingImage";

    /** The URL could not be read; it is tried again. */
    public static final String DOWNLOAD_FAILED = "DownloadFailed";

    /** The node's cache has no room for the image; it is tried again. */
    public static final String CACHE_FULL = "CacheFull";

    /** The file that a source has is not the one of the checksum. */
    public static final String CHECKSUM_MISMATCH = "ChecksumMismatch";

    /** A node's directory or a claim does not have the image's file; it is tried again. */
    public static final String IMAGE_FILE_UNAVAILABLE = "ImageFileUnavailable";

    /** The base image is one that must not be used; the message says what it is. */
    public static final String IMAGE_REFUSED = "ImageRefused";

    /** The container image could not be pulled; it is tried again. */
    public static final String PULL_FAILED = "ImagePullFailed";

    /** A disk that has been made is not on its volume any more; it is not made anew in silence. */
    public static final String DISK_LOST = "DiskLost";

    /** Another process has the disk open, and QEMU's lock keeps a second one out. */
    public static final String DISK_IN_USE = "DiskInUse";

    /** QEMU takes the disk for damaged and does not write to it; the message says what to do. */
    public static final String DISK_CORRUPT = "DiskCorrupt";

    /** The volume of a disk cannot be written to. */
    public static final String VOLUME_READ_ONLY = "VolumeReadOnly";

    /** A disk could not be prepared; the message has the cause. */
    public static final String DISK_FAILED = "DiskFailed";

    private DisksReady() {}
  }

  /** The pod has its address and its network. */
  public static final class NetworkReady {
    public static final String TYPE = "NetworkReady";
    public static final String READY = "Ready";

    /** spec.networks is empty. */
    public static final String NO_NETWORK = "NoNetwork";

    /** There is no running pod that could have one. */
    public static final String NOT_RUNNING = "NotRunning";

    /** The BridgeNetwork does not exist (yet). */
    public static final String BRIDGE_NETWORK_NOT_FOUND = "BridgeNetworkNotFound";

    /** The BridgeNetwork's spec contradicts itself; the message is its own. */
    public static final String BRIDGE_NETWORK_INVALID = "BridgeNetworkInvalid";

    /** The BridgeNetwork is not for this namespace. */
    public static final String NAMESPACE_NOT_ALLOWED = "NamespaceNotAllowed";

    /** The BridgeNetwork has not told yet which address the VM gets. */
    public static final String AWAITING_ADDRESS = "AwaitingAddress";

    /** The address is that of another VM, or another host of the LAN answers for it. */
    public static final String ADDRESS_IN_USE = "AddressInUse";

    /** The address is outside the LAN's, or one that no host can have. */
    public static final String ADDRESS_NOT_USABLE = "AddressNotUsable";

    /** No address of the BridgeNetwork's pool is left. */
    public static final String POOL_EXHAUSTED = "PoolExhausted";

    /** The VM asks for no address, and the BridgeNetwork has no pool to take one from. */
    public static final String NO_POOL = "NoPool";

    /** The BridgeNetwork has not told yet which nodes have the bridge. */
    public static final String AWAITING_NODES = "AwaitingNodes";

    /** No node has the bridges of all LANs of the VM, in a state in which they can be used. */
    public static final String NO_NODE = "NoNode";

    /** The node does not have the bridge. */
    public static final String BRIDGE_MISSING = "BridgeMissing";

    /** The BridgeNetwork's MTU is larger than that of the node's bridge. */
    public static final String MTU_MISMATCH = "MTUMismatch";

    /** The node's firewall drops what its bridge carries. */
    public static final String BRIDGE_FILTERED = "BridgeFiltered";

    /** The guest reports, or was seen to use, another address than a card was given. */
    public static final String ADDRESS_DIFFERS = "AddressDiffers";

    /** The guest reports that a card has no address, which was to come from the LAN's DHCP. */
    public static final String NO_ADDRESS = "NoAddress";

    /** The guest could not be connected to the bridge; the message has the cause. */
    public static final String BRIDGE_FAILED = "BridgeFailed";

    private NetworkReady() {}
  }

  /** QEMU runs the guest's CPUs: what QEMU itself said last on an open connection. */
  public static final class Running {
    public static final String TYPE = "Running";
    public static final String RUNNING = "Running";

    /** spec.runStrategy is Halted, and there is no process. */
    public static final String HALTED = "Halted";

    /** The guest was asked to power off and has not ended yet. */
    public static final String STOPPING = "Stopping";

    /** Nothing is started: the annotation qemu-operator.dev/reconcile is disabled. */
    public static final String SUSPENDED = "ReconcileDisabled";

    /** Accepted is False, so nothing was started. */
    public static final String NOT_ACCEPTED = "NotAccepted";

    /** The pod does not run yet; the message says what it waits for. */
    public static final String STARTING = "Starting";

    /** No node fits the pod; the message is the scheduler's. */
    public static final String UNSCHEDULABLE = "Unschedulable";

    /** The container image of QEMU could not be pulled. */
    public static final String RUNNER_IMAGE = "RunnerImagePullFailed";

    /** The guest or QEMU ended and is about to be started again; the message says why. */
    public static final String RESTARTING = "Restarting";

    /** The pod ended as a whole, such as by an eviction; a new one is made. */
    public static final String POD_LOST = "PodLost";

    /** The guest powered itself off, and spec.runStrategy leaves it so. */
    public static final String STOPPED = "Stopped";

    /** The guest or QEMU failed, and spec.runStrategy leaves it so. */
    public static final String FAILED = "Failed";

    /** The guest's CPUs are stopped, by spec.paused or by somebody at QEMU's monitor. */
    public static final String PAUSED = "Paused";

    /** A volume is full, and the guest waits; it goes on by itself once there is room. */
    public static final String DISK_FULL = "DiskFull";

    /** A disk failed to read or write, and the guest waits; it is tried again. */
    public static final String IO_ERROR = "IOError";

    /** The guest's kernel panicked; QEMU is about to end. */
    public static final String GUEST_PANICKED = "GuestPanicked";

    /** The process should run, but QEMU cannot be asked: Unknown, not a stale True. */
    public static final String QMP_UNREACHABLE = "QMPUnreachable";

    /** The node does not report, and QEMU cannot be asked: Unknown. */
    public static final String NODE_NOT_READY = "NodeNotReady";

    /** The node does not answer, neither does QEMU, and Kubernetes gives the pod up: Unknown. */
    public static final String NODE_LOST = "NodeLost";

    private Running() {}
  }

  /** The guest answers its readinessProbe. */
  public static final class GuestReachable {
    public static final String TYPE = "GuestReachable";
    public static final String PROBE_SUCCEEDED = "ProbeSucceeded";
    public static final String PROBE_FAILED = "ProbeFailed";

    /** Of readinessProbe.cloudInit: it has not ended, or not been reported, yet. */
    public static final String CLOUD_INIT_RUNS = "CloudInitRuns";

    /** Of readinessProbe.cloudInit: it ended with an error; the message is its own. */
    public static final String CLOUD_INIT_FAILED = "CloudInitFailed";

    /** The node does not report, so nobody probes: Unknown. */
    public static final String NODE_NOT_READY = "NodeNotReady";

    /** spec.readinessProbe is not set. */
    public static final String NO_PROBE = "NoProbe";

    /** There is no running guest to probe. */
    public static final String NOT_RUNNING = "NotRunning";

    private GuestReachable() {}
  }

  /** The summary: the VM is what its spec wants. A halted VM that is halted is ready. */
  public static final class Ready {
    public static final String TYPE = "Ready";
    public static final String RUNNING = "Running";
    public static final String HALTED = "Halted";

    /** The guest powered itself off, and spec.runStrategy leaves it so. */
    public static final String STOPPED = "Stopped";

    private Ready() {}
  }

  /** The running guest was started from an older spec; a restart would apply the new one. */
  public static final class RestartRequired {
    public static final String TYPE = "RestartRequired";
    public static final String UP_TO_DATE = "UpToDate";
    public static final String SPEC_CHANGED = "SpecChanged";
    public static final String NOT_RUNNING = "NotRunning";

    private RestartRequired() {}
  }

  /** The running guest booted with the seed that the sources make now. */
  public static final class CloudInitCurrent {
    public static final String TYPE = "CloudInitCurrent";
    public static final String CURRENT = "Current";

    /** The message names the sources that changed. */
    public static final String CHANGED = "Changed";

    /** spec.cloudInit and spec.ssh are not set: there is no seed. */
    public static final String NO_SEED = "NoSeed";

    /** No QEMU runs that could be asked. */
    public static final String NOT_RUNNING = "NotRunning";

    /** The sources make no seed now, see Accepted. */
    public static final String SOURCES_INVALID = "SourcesInvalid";

    /** The addresses that the seed is to tell the guest are not known now; the message says why. */
    public static final String AWAITING_NETWORKS = "AwaitingNetworks";

    private CloudInitCurrent() {}
  }
}
