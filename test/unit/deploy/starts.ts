// How each system starts the commands of docs/MANY-MACHINES.md and deploy/kubernetes: which words imgpack gets.
import { execFile } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { ownBlocks } from "../../support/docs/own-blocks.ts";
import { readPage } from "../../support/docs/page-blocks.ts";
import { readManifests } from "../../support/pod-manifests.ts";

export type Words = readonly string[];

/** The commands of an array of shards, and of the last run. */
export interface Starts {
  readonly shards: readonly Words[];
  readonly last: Words;
}

export const PAGE: string = readPage("docs/MANY-MACHINES.md").text;
const RUN = ["bash", "json", "yaml"];
const blocks = ownBlocks(
  "docs/MANY-MACHINES.md",
  ({ heading, language }) => RUN.includes(language) || ["Kubernetes", "AWS Batch"].includes(heading),
);

/** The code in a section of the page. */
export function codeOf(section: string, language: string): string {
  return blocks.find(each => each.heading === section && each.language === language)?.text ?? "";
}

interface GitHubJob {
  readonly strategy?: { readonly matrix: { readonly shard: readonly number[] } };
  readonly steps: readonly { readonly run?: string }[];
}

interface GitLabJob {
  readonly parallel?: number;
  readonly script: Words;
  readonly retry?: { readonly when: readonly string[]; readonly exit_codes: readonly number[] };
}

interface JobDefinition {
  readonly containerProperties: { readonly image: string; readonly command: Words };
  readonly retryStrategy: {
    readonly evaluateOnExit: readonly { readonly onExitCode?: string; readonly action: "RETRY" | "EXIT" }[];
  };
}

export const gitLabJobs = (): Readonly<Record<"shards" | "last", GitLabJob>> & {
  readonly default: { readonly image: string };
} => parse(codeOf("GitLab CI", "yaml"));
export const jobDefinition = (): JobDefinition => JSON.parse(codeOf("AWS Batch", "json"));

/** Programs in a folder that print what they are called with. */
export class Shims {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param script of a shell, whose arguments are the words of the program. */
  async add(name: string, script: string): Promise<void> {
    await writeFile(join(this.#folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(this.#folder, name), 0o755);
  }

  async run([file = "", ...words]: Words, env: Readonly<Record<string, string>> = {}): Promise<Words> {
    const path = `${this.#folder}:${process.env["PATH"]}`;
    const { stdout } = await promisify(execFile)(file, words, { cwd: this.#folder, env: { PATH: path, ...env } });
    return stdout.split("\n").slice(0, -1);
  }
}

const indexes = (count: number): readonly number[] => [...Array(count).keys()];

/** Kubernetes expands $(NAME) in arguments. */
export async function startsOfKubernetes(): Promise<Starts> {
  const [copy, last] = [readManifests("copy")[0]?.spec, readManifests("copy-last")[0]?.spec];
  const args = copy?.template?.spec.containers[0].args ?? [];
  return {
    shards: indexes(copy?.completions ?? 0).map(index =>
      args.map(word => word.replaceAll("$(JOB_COMPLETION_INDEX)", `${index}`)),
    ),
    last: last?.template?.spec.containers[0].args ?? [],
  };
}

/** Batch calls the command as it is, with a variable. */
export async function startsOfBatch(shims: Shims): Promise<Starts> {
  const { command } = jobDefinition().containerProperties;
  // Each call of aws is a line; the lines of words after it are those of the override.
  await shims.add("aws", `printf '%s\\n' "$*" >>aws.log; echo job-1`);
  await shims.run(["sh", "-ec", codeOf("AWS Batch", "sh")]);
  const calls = await shims.run(["cat", "aws.log"]);
  const [, size = ""] = /--array-properties size=(\d+)/.exec(calls[1] ?? "") ?? [];
  const [, overrides = "{}"] = /--depends-on jobId=job-1 --container-overrides (.*)/.exec(calls[2] ?? "") ?? [];
  const shards = indexes(Number(size)).map(async index => {
    return await shims.run(command, { AWS_BATCH_JOB_ARRAY_INDEX: `${index}`, AWS_BATCH_JOB_ARRAY_SIZE: size });
  });
  const { command: last } = JSON.parse(overrides) as { readonly command: Words };
  return { shards: await Promise.all(shards), last: await shims.run(last) };
}

/** GitHub puts values in before the shell sees the line. */
export async function startsOfGitHub(shims: Shims): Promise<Starts> {
  const { jobs } = parse(codeOf("GitHub Actions", "yaml")) as { readonly jobs: Readonly<Record<string, GitHubJob>> };
  const lineOf = (name: string): string => jobs[name]?.steps.map(({ run = "" }) => run).join("\n") ?? "";
  const matrix = jobs["shards"]?.strategy?.matrix.shard ?? [];
  const shards = matrix.map(async shard => {
    const values = { "matrix.shard": `${shard}`, "strategy.job-total": `${matrix.length}` };
    const line = Object.entries(values).reduce(
      (text, [name, value]) => text.replaceAll(`\${{ ${name} }}`, value),
      lineOf("shards"),
    );
    return await shims.run(["bash", "-e", "-c", line]);
  });
  return { shards: await Promise.all(shards), last: await shims.run(["bash", "-e", "-c", lineOf("last")]) };
}

/** GitLab counts from 1. */
export async function startsOfGitLab(shims: Shims): Promise<Starts> {
  const jobs = gitLabJobs();
  const total = jobs.shards.parallel ?? 0;
  const shards = indexes(total).map(async index => {
    const env = { CI_NODE_INDEX: `${index + 1}`, CI_NODE_TOTAL: `${total}` };
    return await shims.run(["sh", "-ec", jobs.shards.script.join("\n")], env);
  });
  return { shards: await Promise.all(shards), last: await shims.run(["sh", "-ec", jobs.last.script.join("\n")]) };
}
