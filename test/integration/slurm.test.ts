// docs/MANY-MACHINES.md with a real Slurm: arrays of shards that lose a node, or run out of time, in the middle.
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SHELL_COMMAND } from "../support/command.ts";
import { describeWith } from "./peers/describe-with.ts";
import { type RunResult, run } from "./peers/run.ts";
import {
  createShardSite,
  imagesIn,
  missingImages,
  repeatedBlobs,
  type ShardSite,
  type Target,
} from "./peers/shard-site.ts";

const LAB = fileURLToPath(new URL("../../scripts/slurm-lab", import.meta.url));
const SHARDS = 8;

const page = readFileSync(fileURLToPath(new URL("../../docs/MANY-MACHINES.md", import.meta.url)), "utf8");
const [, section = ""] = /\n## Slurm\n([\s\S]*?)\n## /.exec(page) ?? [];
const [script = "", copying = "", pushing = ""] = [...section.matchAll(/```(?:bash|sh)\n([\s\S]*?)```/g)].map(
  ([, text = ""]) => text,
);

/** A run without `--shard` says that it has ended, and how. */
const SHIM = `#!/bin/sh
case " $* " in *" --shard "*) exec ${SHELL_COMMAND} "$@" ;; esac
code=0
${SHELL_COMMAND} "$@" || code=$?
echo $code >ended
`;

describeWith(["munged", "slurmctld", "slurmd", "sbatch", "mkfifo", "pgrep"], "shards in a Slurm array", () => {
  let site: ShardSite;
  let env: Readonly<Record<string, string>>;
  const path = (name: string): string => join(site.imgpack.folder, name);

  beforeAll(async () => {
    site = await createShardSite();
    await writeFile(path("shards.sh"), script);
    await writeFile(path("imgpack"), SHIM);
    await succeed("mkfifo", path("ended"));
    const started = await succeed(LAB, "start", path("lab"));
    env = { SLURM_CONF: started.replace("export SLURM_CONF=", "").trim() };
  });
  afterAll(async () => {
    if (site === undefined) return;
    await run(LAB, ["stop", path("lab")]);
    await site.close();
  });

  async function succeed(command: string, ...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run(command, words, { env });
    expect(code, `${command} ${words.join(" ")}: ${stderr}`).toBe(0);
    return stdout;
  }

  /** Submits the jobs of the page, calls `interrupt` once each of some shards has sent a blob, and waits for the last run. */
  async function runArray(
    lines: string,
    target: Target,
    shards: readonly number[],
    interrupt: (job: string) => Promise<void>,
  ): Promise<RunResult> {
    const held = await Promise.all(
      shards.map(async shard => {
        const images = imagesIn(site, (await plan(lines, target, `${shard}/${SHARDS}`)).stdout);
        expect(images.length).toBeGreaterThan(1);
        return target.hold(new Set(images.map(({ own }) => own)));
      }),
    );
    const ended = run("cat", [path("ended")], { timeoutMs: 120_000 });
    try {
      const { code, stderr } = await site.sh(lines, target, env);
      expect(code, stderr).toBe(0);
      const early = ended.then(() => expect.fail("the last run ended before a shard has sent a blob"));
      await Promise.race([early, Promise.all(held.map(({ arrived }) => arrived))]);
      await interrupt((await succeed("squeue", "--noheader", "--states=running", "--format=%F")).split("\n")[0] ?? "");
      for (const { release } of held) release();
      return await ended;
    } catch (error) {
      const { stdout } = await run("sh", ["-c", "squeue --array; tail -n 20 *.log"], { cwd: path("."), env });
      throw new Error(`${error}\n${stdout}`, { cause: error });
    }
  }

  /** What the command of the page says that a shard will do. */
  async function plan(lines: string, target: Target, shard: string): Promise<RunResult> {
    const [, command = ""] = /--wrap='(.*)'/.exec(lines) ?? [];
    const result = await site.sh(`${command} --dry-run --shard ${shard}`, target);
    expect(result.code, result.stderr).toBe(0);
    return result;
  }

  /** Of a running shard. */
  async function jobOf(shard: number): Promise<{ readonly id: string; readonly node: string }> {
    const running = await succeed("squeue", "--noheader", "--array", "--states=running", "--format=%K %A %N");
    const [, id = "", node = ""] = new RegExp(`^${shard} (\\S+) (\\S+)$`, "m").exec(running) ?? [];
    return { id, node };
  }

  async function restartsOf(job: string): Promise<readonly number[]> {
    const shown = await succeed("scontrol", "show", "job", job);
    const tasks = [...shown.matchAll(/ArrayTaskId=(\d+)[\s\S]*?Restarts=(\d+)/g)];
    return tasks.toSorted(([, a], [, b]) => Number(a) - Number(b)).map(([, , restarts]) => Number(restarts));
  }

  async function expectComplete(name: string, target: Target, restarts: readonly number[]): Promise<void> {
    const outputs = await Promise.all(
      Array.from({ length: SHARDS }, (_, shard) => readFile(path(`${name}.${shard}.log`), "utf8")),
    );
    // Each image in one shard.
    const printed = outputs.flatMap(output => imagesIn(site, output).map(({ repository }) => repository));
    expect(printed.toSorted()).toEqual(site.images.map(({ repository }) => repository).toSorted());
    expect(await missingImages(site, target, "mirror")).toEqual([]);
    expect(repeatedBlobs(site, target, outputs, restarts)).toEqual([]);
    // The last run.
    expect(await readFile(path("last.log"), "utf8")).toMatch(/^All \d+ images are there: nothing was sent/m);
  }

  test("copy: a node that loses its power is no loss", async () => {
    const target = await site.createTarget();
    let job = "";
    const ended = await runArray(copying, target, [3], async id => {
      job = id;
      const { node } = await jobOf(3);
      await succeed(LAB, "lose", path("lab"), node);
      await succeed(LAB, "back", path("lab"), node);
    });
    expect(ended.stdout).toBe("0\n");
    const restarts = [0, 0, 0, 1, 0, 0, 0, 0];
    expect(await restartsOf(job)).toEqual(restarts);
    await expectComplete("copy", target, restarts);
  });

  test("push: a node that is set down, a shard whose time is up and one that fails once are no loss", async () => {
    const target = await site.createTarget();
    const [refused] = imagesIn(site, (await plan(pushing, target, `0/${SHARDS}`)).stdout);
    target.refused.add(refused?.own ?? "");
    let job = "";
    const ended = await runArray(pushing, target, [1, 3], async id => {
      job = id;
      const [late, lost] = [await jobOf(1), await jobOf(3)];
      await succeed("scontrol", "update", `nodename=${lost.node}`, "state=down", "reason=lost");
      // What Slurm sends before the end of the time limit (--signal): scancel would repeat it after the shard has been queued again.
      const script = `${path("lab")}/spool/${late.node}/job0*${late.id}/slurm_script`;
      process.kill(Number(await succeed("pgrep", "--full", script)), "SIGUSR1");
    });
    expect(ended.stdout).toBe("0\n");
    const restarts = [1, 1, 0, 1, 0, 0, 0, 0];
    expect(await restartsOf(job)).toEqual(restarts);
    await expectComplete("push", target, restarts);
  });
});
