// The templates of docs/MANY-MACHINES.md and deploy/kubernetes: each is started as its system does, and copies everything.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
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

describe("exit codes", () => {
  const codesOf = (action: string): readonly number[] => {
    const [, codes = ""] = new RegExp(`^\\| ([\\d, ]+).*\\| ${action}`, "m").exec(PAGE) ?? [];
    return codes.split(",").map(Number);
  };
  const [again, never] = [codesOf("retry"), codesOf("no retry")];

  test("the page has some of both kinds", () => {
    expect(again).toContain(7);
    expect(never).toContain(4);
  });

  test("Kubernetes retries a shard but for those for which the page says no", () => {
    const text = JSON.stringify([readManifests("copy"), readManifests("copy-last")]);
    const values = [...text.matchAll(/"operator":"In","values":(\[[\d,]*\])/g)].map(([, list = ""]) =>
      JSON.parse(list),
    );
    expect(values).toEqual([never, never]);
  });

  test("AWS Batch ends those for which the page says no, but 1: it takes five rules, and retries what matches none", () => {
    const rules = jobDefinition().retryStrategy.evaluateOnExit;
    expect(rules).toEqual(never.filter(code => code !== 1).map(code => ({ onExitCode: `${code}`, action: "EXIT" })));
    expect(rules.length).toBeLessThanOrEqual(5);
  });

  test("GitLab retries those for which the page says so", () => {
    expect(gitLabJobs().shards.retry?.exit_codes).toEqual(again);
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
  expect(Object.keys(jobs)).toEqual(["shards", "last"]);
  expect(Object.values(jobs).map(job => Object.keys(job))).toEqual([
    ["stage", "parallel", "script", "retry"],
    ["stage", "script"],
  ]);
  expect(Object.values(jobs)).toMatchObject([{ stage: "build" }, { stage: "deploy" }]);
});
