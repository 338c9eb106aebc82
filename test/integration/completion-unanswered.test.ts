// A name server that never answers: the thread that waits for it outlives the answer to the shell.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SHELL_COMMAND } from "../support/command.ts";
import { describeWith } from "./peers/describe-with.ts";
import { probeNamespace } from "./peers/namespace.ts";
import { run } from "./peers/run.ts";
import { type Desk, makeDesk, type ShellName, ShellUser, TAB, writeSettings } from "./shells/shell-user.ts";

const SPACES = ["--net", "--mount"];
const SILENT = 'require("dgram").createSocket("udp4").bind(53, "127.0.0.1", () => console.log("bound"))';
const INSIDE = 'ip link set lo up && mount --bind "$1" /etc/resolv.conf && exec "$2" -e "$3"';
const LINE = "imgpack pull registry.example/app:";
const LOAD: Readonly<Record<ShellName, string>> = {
  bash: 'eval "$(imgpack completion bash)"',
  zsh: 'eval "$(imgpack completion zsh)"',
  fish: "imgpack completion fish | source",
};

const namespace = await probeNamespace();
describeWith([namespace], "a name server that never answers", () => {
  let desk: Desk;
  let server: ChildProcess;
  let enter: readonly string[];
  beforeAll(async () => {
    desk = await makeDesk([]);
    const settings = join(desk.home, "resolv.conf");
    await writeFile(settings, "nameserver 127.0.0.1\n");
    server = spawn("unshare", [...SPACES, "sh", "-c", INSIDE, "sh", settings, process.execPath, SILENT], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (server.stdout !== null) await once(server.stdout, "data");
    enter = ["nsenter", "-t", String(server.pid), ...SPACES, `--wd="$PWD"`];
  });
  afterAll(async () => {
    const end = once(server, "exit");
    server.kill();
    await end;
    await desk[Symbol.asyncDispose]();
  });

  test("the answer ends long before the name server is given up", async () => {
    const command = `${SHELL_COMMAND} __complete 1 pull registry.example/app:`;
    const { stdout, stderr } = await run("sh", ["-c", `${enter.join(" ")} ${command}`]);
    expect([stdout, stderr]).toEqual(["none\t*\t\n", ""]);
  });

  for (const name of ["bash", "zsh", "fish"] as const) {
    describeWith([name, "script"], name, () => {
      test("prints nothing over the line", async () => {
        await writeSettings(name, desk, [LOAD[name]]);
        await using user = await ShellUser.start(name, desk, {}, enter);
        await user.typesTo(`${LINE}${TAB}1.0`, `${LINE}1.0`);
        expect(user.screen).toEqual([`READY> ${LINE}1.0`]);
      });
    });
  }
});
