/**
 * The unit that runs a supervise file under systemd. KillMode=process is the point of it: systemd ends the supervisor
 * only, which ends its programs in order; when the supervisor crashes they live on and the restarted one takes them over.
 * The engine makes code at run time, so MemoryDenyWriteExecute cannot be had.
 */
import { dirname } from "node:path";
import type { SuperviseConfig } from "./config_schema.ts";
import { fromFolder } from "./supervisor.ts";

export interface UnitOptions {
  file: string;
  binary: string;
  user: string;
  /** Below /run. */
  runtime: string;
  writable: readonly string[];
  config: SuperviseConfig;
}

/** What the supervisor itself needs on top of its slowest chain of programs. */
const STOP_MARGIN_S = 15;

export function systemdUnit({ file, binary, user, runtime, writable, config }: UnitOptions): string {
  const folder = dirname(file);
  const logs = fromFolder(folder, config.logs.directory);
  const directory = config.directory === undefined ? undefined : fromFolder(folder, config.directory);
  const written = [...new Set([logs, ...directory === undefined ? [] : [directory], ...writable])];
  const stop_s = Math.ceil(longestStopMs(config) / 1_000) + STOP_MARGIN_S;
  return `# made by: mdg supervise systemd ${file}
# check:   systemd-analyze verify mdg.service && systemd-analyze security mdg.service
# before:  install -d -o ${user} ${written.map(word).join(" ")}
[Unit]
Description=mdg supervisor of ${escaped(file)}
Wants=network-online.target
After=network-online.target time-sync.target
# the supervisor has limits of its own; systemd must never give up
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=${word(binary)} supervise ${word(file)}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
# a config with problems does not get better by trying
RestartPreventExitStatus=2
WatchdogSec=60
# only the supervisor is signalled: it ends its programs in order, and they outlive its crash
KillMode=process
TimeoutStopSec=${stop_s}
OOMPolicy=continue
User=${user}
WorkingDirectory=${word(folder)}
RuntimeDirectory=${runtime}
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
Environment=MDG_SUPERVISE_DIRECTORY=/run/${runtime}
UMask=0027
LimitNOFILE=65536
LimitCORE=0

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths=${written.map(word).join(" ")}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=no
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** Programs end after those that depend on them, so the times of a chain add up. */
export function longestStopMs({ apps }: Pick<SuperviseConfig, "apps">): number {
  const known = new Map<string, number>();
  const chain = (name: string): number => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const app = apps.find((one) => one.name === name)!;
    const total = app.kill_timeout + Math.max(0, ...app.depends_on.map(chain));
    known.set(name, total);
    return total;
  };
  return Math.max(...apps.map(({ name }) => chain(name)));
}

/** One word of a unit file. */
function word(text: string): string {
  const safe = escaped(text);
  return /[\s"'\\;]/.test(safe) ? `"${safe.replace(/["\\]/g, "\\$&")}"` : safe;
}

/** Percent signs and dollars mean something to systemd. */
function escaped(text: string): string {
  return text.replaceAll("%", "%%").replaceAll("$", "$$$$");
}
