-- Health of a VirtualMachine or VirtualMachineImage for Argo CD; docs/argocd.md says why it is so.
local status = obj.status
if status == nil or status.conditions == nil or status.observedGeneration == nil then
  return { status = "Progressing", message = "The operator has not seen it yet." }
end
if status.observedGeneration < obj.metadata.generation then
  return { status = "Progressing", message = "The operator has not seen the present spec yet." }
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end
local function reason(type)
  return conditions[type] ~= nil and conditions[type].reason or ""
end

-- The summary takes over the message of what is at fault.
local ready = conditions["Ready"] or {}
local function health(code)
  return { status = code, message = ready.message or "" }
end

if reason("Accepted") == "ReconcileDisabled" then
  return health("Suspended")
end
-- Running, or off because its spec says so: nothing is left to wait for.
if ready.status == "True" then
  return health("Healthy")
end
if reason("Running") == "Paused" then
  return health("Suspended")
end
-- Nobody knows whether the guest runs.
if reason("Running") == "NodeLost" or reason("Running") == "NodeNotReady" or reason("Running") == "QMPUnreachable"
  or reason("GuestReachable") == "NodeNotReady" then
  return health("Unknown")
end

-- What does not pass by waiting.
if conditions["Accepted"] ~= nil and conditions["Accepted"].status == "False" then
  return health("Degraded")
end
local broken = {
  DisksReady = {
    ClaimLost = true,
    ImageNotFound = true,
    ImageNotReady = true,
    DownloadFailed = true,
    CacheFull = true,
    ChecksumMismatch = true,
    ImageFileUnavailable = true,
    ImageRefused = true,
    ImagePullFailed = true,
    DiskFailed = true,
    ClaimNotFound = true,
    VolumeNotMounted = true,
    VolumeReadOnly = true,
    DiskLost = true,
    DiskInUse = true,
    DiskCorrupt = true,
  },
  Running = { RunnerImagePullFailed = true, DiskFull = true, IOError = true, Failed = true },
  GuestReachable = { CloudInitFailed = true },
  -- of an image
  Ready = { SourceUnavailable = true, HostPathRootNotFound = true, ChecksumUnavailable = true },
}
for type, reasons in pairs(broken) do
  if reasons[reason(type)] then
    return health("Degraded")
  end
end
-- A QEMU that cannot even start is started again and again; a guest that ended is once.
local exit = status.lastExit or {}
if reason("Running") == "Restarting" and exit.cause == "QemuError" and reason("DisksReady") ~= "FetchingImage" then
  return health("Degraded")
end

return health("Progressing")
