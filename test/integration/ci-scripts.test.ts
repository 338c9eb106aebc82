// What shellcheck finds in the scripts that GitHub and GitLab run.
import { expect, test } from "vitest";
import { gitLabScript } from "../support/ci/gitlab-script.ts";
import { action } from "../support/ci/run-action.ts";
import { describeWith } from "./peers/describe-with.ts";
import { run } from "./peers/run.ts";

describeWith(["shellcheck"], "shellcheck", () => {
  test.each([
    ...action.runs.steps.map(({ id, run }) => [`the step ${id} of action.yml`, `#!/bin/bash\n${run}`]),
    ["the template for GitLab", `#!/bin/sh\n${gitLabScript("sh")}`],
  ])("finds nothing in %s", async (_, script = "") => {
    expect(await run("shellcheck", ["-"], { input: script })).toMatchObject({ code: 0, stdout: "" });
  });

  test("would find an unquoted variable", async () => {
    const { code } = await run("shellcheck", ["-"], { input: '#!/bin/sh\nname="a b"\ncat $name\n' });
    expect(code).toBe(1);
  });
});
