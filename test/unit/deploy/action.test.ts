// action.yml as GitHub reads it; test/integration/github-action.test.ts runs it.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ACTION_FILE, action } from "../../support/ci/run-action.ts";
import { actionFaults } from "../../support/workflow-faults.ts";

const text = readFileSync(ACTION_FILE, "utf8");

test("action.yml is what GitHub's own parser expects", async () => {
  expect(await actionFaults(text)).toEqual([]);
  expect(await actionFaults(text.replace("using: composite", "using: shell"))).not.toEqual([]);
  expect(await actionFaults(text.replace("shell: bash", "shel: bash"))).not.toEqual([]);
});

test("no script of a step contains an expression, so that no input becomes code", () => {
  expect(action.runs.steps.map(({ run }) => run).filter(script => script.includes("${{"))).toEqual([]);
});

test("each input reaches a step", () => {
  const used = JSON.stringify(action.runs.steps);
  expect(Object.keys(action.inputs).filter(name => !used.includes(`inputs.${name} `))).toEqual([]);
});
