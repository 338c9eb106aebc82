import { readFileSync } from "node:fs";
import { parse } from "yaml";

interface Job {
  readonly before_script: readonly string[];
  readonly script: readonly string[];
}

export const TEMPLATE: URL = new URL("../../../deploy/gitlab/imgpack.gitlab-ci.yml", import.meta.url);
export const gitLabJob: Job = parse(readFileSync(TEMPLATE, "utf8"))[".imgpack-push"];

/** The lines of both sections as GitLab's runner gives them to a shell: one script, which ends at the first fault. */
export function gitLabScript(shell: string): string {
  const head = shell === "bash" ? "set -eo pipefail" : "set -e";
  return [head, ...gitLabJob.before_script, ...gitLabJob.script].join("\n");
}
