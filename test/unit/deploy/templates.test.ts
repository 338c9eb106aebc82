// The templates of docs/MANY-MACHINES.md and deploy/kubernetes: each is started as its system does, and copies everything.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EXIT_CODES } from "../../../src/errors.ts";
import type { CopyResult } from "../../../src/index.ts";
import { plannedTwice, putSharingImages, sentTwice, tagsOf } from "../../fault/shards-support.ts";
import { ownEnvironment, runCommand } from "../../support/command-line.ts";
import { temporaryFolder } from "../../support/images.ts";
import { readManifests } from "../../support/pod-manifests.ts";
import { ScriptedRegistry } from "../../support/scripted-registry.ts";
import { workflowFaults } from "../../support/workflow-faults.ts";
import {
  codeOf,
  gitLabJobs,
  jobDefinition,
  PAGE,
  Shims,
  startsOfBatch,
  startsOfGitHub,
  startsOfGitLab,
  startsOfKubernetes,
  type Words,
} from "./starts.ts";

ownEnvironment();

const SYSTEMS = [
  ["Kubernetes", startsOfKubernetes],
  ["AWS Batch", startsOfBatch],
  ["GitHub", startsOfGitHub],
  ["GitLab", startsOfGitLab],
] as const;

describe.each(SYSTEMS)("%s", (_, startsOf) => {
  test("the shards of the template copy all images, and its last run finds nothing to send", async () => {
    const folder = await temporaryFolder();
    const shims = new Shims(folder);
    await shims.add("imgpack", `printf '%s\\n' "$@"`);
    const { shards, last } = await startsOf(shims);
    expect(shards).toHaveLength(8);

    const [from, to] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    const names = putSharingImages(from.content, 10);
    const output = join(folder, "real.lock");
    const locked = await runCommand("lock", ...names.map(name => `${from.host}/${name}`), "-o", output);
    expect(locked.exitCode, locked.stderr).toBe(0);
    const copied = async (words: Words): Promise<CopyResult> => {
      const local = words.map(word =>
        word.replace(/(^|=)(\/lock\/)?site\.lock$/, `$1${output}`).replace(/registry\.(inside|example):5000/, to.host),
      );
      const { exitCode, stdout, stderr } = await runCommand(...local, "--json");
      expect(exitCode, stderr).toBe(0);
      return JSON.parse(stdout);
    };
    const results = [];
    for (const words of shards) results.push(await copied(words));
    expect(results.map(({ shard }) => [shard?.index, shard?.of])).toEqual(results.map((_, index) => [index, 8]));
    expect(tagsOf(to.content)).toEqual(names.map(name => `mirror/${name}`).sort());
    expect(sentTwice(to)).toBeLessThanOrEqual(plannedTwice(results.map(({ shard }) => shard)));
    expect(await copied(last)).toMatchObject({ bytesSent: 0, images: { length: names.length } });
  });
});

describe("exit codes: the table of the page decides for each template", () => {
  const [, table = ""] = /\n## Exit codes\n([\s\S]*?)\n## /.exec(PAGE) ?? [];
  const rows = [...table.matchAll(/^\| (\d[\d, ]*)[^|]*\| ([^|]*)/gm)].map(([, codes = "", text = ""]) => ({
    codes: codes.split(",").map(Number),
    isAgain: text.startsWith("retry"),
    mayBeTheUser: text.startsWith("retry, unless you stopped it"),
  }));
  const codesOf = (has: (row: (typeof rows)[number]) => boolean): readonly number[] =>
    rows.flatMap(row => (has(row) ? row.codes : [])).sort((one, other) => one - other);
  const again = codesOf(({ isAgain }) => isAgain);
  const all = codesOf(({ codes }) => !codes.includes(0));

  test("the table has all exit codes", () => {
    expect(all).toEqual([...new Set([...Object.values(EXIT_CODES), 137])].sort((one, other) => one - other));
    expect(again).not.toContain(EXIT_CODES.auth);
  });

  test("Slurm queues a shard again, but not one that scancel may have ended", async () => {
    const folder = await temporaryFolder();
    const shims = new Shims(folder);
    await shims.add("scontrol", 'echo "$@"');
    await shims.add(
      "shards",
      `${codeOf("Slurm", "bash")
        .replace("#!/bin/bash", "")
        .replace(/exit "\$code"\n$/, "")}`,
    );
    const env = { SLURM_ARRAY_JOB_ID: "7", SLURM_ARRAY_TASK_ID: "3" };
    const queued: number[] = [];
    for (const code of all) {
      const said = await shims.run(["bash", "shards", "sh", "-c", `exit ${code}`], env);
      if (said.includes("requeue 7_3")) queued.push(code);
      expect(await shims.run(["bash", "shards", "true"], { ...env, SLURM_RESTART_COUNT: "5" })).toEqual([]);
    }
    expect(queued).toEqual(codesOf(row => row.isAgain && !row.mayBeTheUser));
  });

  test.each(["copy", "copy-last"] as const)("Kubernetes, %s", part => {
    const text = JSON.stringify(readManifests(part));
    const [, list = "[]"] = /"operator":"In","values":(\[[\d,]*\])/.exec(text) ?? [];
    const ended: readonly number[] = JSON.parse(list);
    expect(all.filter(code => !ended.includes(code))).toEqual(again);
  });

  test("AWS Batch, but for exit code 1: it takes five rules, and retries what matches none", () => {
    const rules = jobDefinition().retryStrategy.evaluateOnExit;
    expect(rules.length).toBeLessThanOrEqual(5);
    const actionFor = (code: number): string => {
      const rule = rules.find(({ onExitCode = "" }) =>
        onExitCode.endsWith("*") ? `${code}`.startsWith(onExitCode.slice(0, -1)) : `${code}` === onExitCode,
      );
      return rule?.action ?? "RETRY";
    };
    expect(all.filter(code => actionFor(code) === "RETRY")).toEqual([EXIT_CODES.internal, ...again]);
  });

  test("GitLab", () => {
    expect(gitLabJobs().shards.retry?.exit_codes).toEqual(again);
  });
});

describe("the commands for Kubernetes", () => {
  /** @param answers of `kubectl wait`: the words that follow are those of its command line. */
  async function deliver(answers: string): Promise<readonly string[]> {
    const shims = new Shims(await temporaryFolder());
    await shims.add("kubectl", `echo "$*" >>calls; case "$*" in ${answers} esac`);
    await shims.run(["sh", "-c", `{ ${codeOf("Kubernetes", "sh")} } >&2; echo "exit $?" >>calls`], { HOME: "/home" });
    return await shims.run(["cat", "calls"]);
  }
  const LAST = "apply -k deploy/kubernetes/copy-last";

  test("delete what the last delivery left, and prove that all is there", async () => {
    const calls = await deliver("*failed*) exit 1 ;;");
    const names = ["job/imgpack-copy", "job/imgpack-copy-last", "configmap/imgpack-lock", "secret/imgpack-registries"];
    expect(calls[0]).toBe(`delete ${names.join(" ")} --ignore-not-found`);
    const applied = readManifests("copy").concat(readManifests("copy-last"));
    expect(names.slice(0, 2)).toEqual(applied.map(({ metadata: { name } }) => `job/${name}`));
    expect(calls).toContain(LAST);
    expect(calls.slice(-2)).toEqual([expect.stringContaining("job/imgpack-copy-last"), "exit 0"]);
  });

  test("end when a shard has failed, without a last run", async () => {
    const calls = await deliver("*complete*) exit 1 ;;");
    expect(calls).not.toContain(LAST);
    expect(calls.at(-1)).toBe("exit 1");
  });

  test("end when the Job is gone", async () => {
    const calls = await deliver('"get job"* | *wait*) exit 1 ;;');
    expect(calls).not.toContain(LAST);
    expect(calls.at(-1)).toBe("exit 1");
  });
});

describe("the workflow for GitHub", () => {
  const workflow = codeOf("GitHub Actions", "yaml");

  test("has no fault for GitHub's own parser", async () => {
    expect(await workflowFaults(workflow)).toEqual([]);
  });

  test.each([
    ["an unknown key", "runs-on", "run-on", "Unexpected value 'run-on'"],
    ["an unknown value", "strategy.job-total", "strategi.job-total", "Unrecognized named-value"],
    ["a job that is not there", "needs: shards", "needs: shard", "unknown job 'shard'"],
    ["a wrong type", "fail-fast: false", "fail-fast: maybe", "Unexpected value 'maybe'"],
  ])("the check finds %s", async (_, found, put, fault) => {
    expect((await workflowFaults(workflow.replace(found, put))).join("\n")).toContain(fault);
  });
});

test("GitLab gets the keys of a job that it knows, with stages that it has without a list of them", () => {
  const jobs = gitLabJobs();
  expect(Object.values(jobs).map(job => Object.keys(job))).toEqual([
    ["image"],
    ["stage", "parallel", "script", "retry"],
    ["stage", "script"],
  ]);
  expect(jobs).toMatchObject({ shards: { stage: "build" }, last: { stage: "deploy" } });
  // Without `when`, a runner that is lost has no exit code, and its job is not retried.
  expect(jobs.shards.retry?.when).toEqual(["runner_system_failure", "stuck_or_timeout_failure"]);
  expect(jobs.default.image).toBe(jobDefinition().containerProperties.image);
});
