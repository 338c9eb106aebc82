import { chmod, copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Probe } from "./describe-with.ts";
import { findTool, run } from "./run.ts";
import { createTempFolder } from "./temp-folder.ts";

/** Programs of `writeSshNodes`. */
export const SSH_TOOLS: readonly string[] = ["ssh", "sshd", "ssh-keygen", "unshare"];

/**
 * Writes an `ssh` into a folder for which `node1`, `node2` and so on are this machine, with a real sshd for each connection:
 * that is started by the client and answers through a pipe, so there is no port, and nothing to stop.
 */
export async function writeSshNodes(folder: string): Promise<void> {
  const path = (name: string): string => join(folder, name);
  for (const key of ["host-key", "user-key"]) {
    const { code, stderr } = await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path(key)]);
    if (code !== 0) throw new Error(stderr);
  }
  await copyFile(path("user-key.pub"), path("authorized-keys"));
  const sshd = {
    HostKey: path("host-key"),
    AuthorizedKeysFile: path("authorized-keys"),
    PidFile: "none",
    StrictModes: "no",
    UsePAM: "no",
  };
  await writeFile(path("sshd-config"), configText(sshd));
  const start = `exec ${findTool("sshd")} -i -f ${path("sshd-config")}`;
  // As root, it demands a folder that is there only where it runs as a service.
  const inOwnRun = `unshare --mount sh -c 'mount -t tmpfs none /run && mkdir -m 755 /run/sshd && ${start}'`;
  const ssh = {
    IdentityFile: path("user-key"),
    UserKnownHostsFile: "/dev/null",
    StrictHostKeyChecking: "no",
    BatchMode: "yes",
    LogLevel: "ERROR",
    ProxyCommand: process.getuid?.() === 0 ? inOwnRun : start,
  };
  await writeFile(path("ssh-config"), configText(ssh));
  await writeFile(path("ssh"), `#!/bin/sh\nexec ${findTool("ssh")} -F ${path("ssh-config")} "$@"\n`);
  await chmod(path("ssh"), 0o755);
}

/** Whether this machine lets a command run through them. */
export async function probeSshNodes(): Promise<Probe> {
  const name = "sshd";
  const absent = SSH_TOOLS.find(tool => findTool(tool) === undefined);
  if (absent !== undefined) return { name, missing: `${absent} is not installed` };
  const folder = await createTempFolder();
  try {
    await writeSshNodes(folder.path);
    const { code, stderr } = await run(join(folder.path, "ssh"), ["node1", "exit 7"]);
    return { name, missing: code === 7 ? undefined : (stderr.trimEnd().split("\n").at(-1) ?? "").slice(0, 200) };
  } finally {
    await folder.remove();
  }
}

/** In place of them, where there is no sshd: a shell. */
export async function writeShellNodes(folder: string): Promise<void> {
  // After the host, which is the first word without a dash.
  const script = 'while case $1 in -*) ;; *) false ;; esac; do shift; done\nshift\nexec sh -c "$*"\n';
  await writeFile(join(folder, "ssh"), `#!/bin/sh\n${script}`);
  await chmod(join(folder, "ssh"), 0o755);
}

function configText(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");
}
