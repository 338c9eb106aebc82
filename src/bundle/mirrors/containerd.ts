import { hostsFiles } from "./hosts-toml.ts";
import type { RuntimeFiles } from "./mirror-file.ts";
import type { MirrorPlan } from "./mirror-plan.ts";

export function containerdFiles(plan: MirrorPlan): RuntimeFiles {
  return {
    ...hostsFiles(plan, []),
    notes: [
      "containerd reads these folders from its config_path, usually /etc/containerd/certs.d, without a restart; ctr needs --hosts-dir",
    ],
  };
}
