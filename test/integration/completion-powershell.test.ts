// What the TAB key asks in PowerShell: CompleteInput is what TabExpansion2 calls.
import { join } from "node:path";
import { expect, test } from "vitest";
import { completionScript } from "../../src/cli/completion/scripts/completion-script.ts";
import { describeWith } from "./peers/describe-with.ts";
import { run } from "./peers/run.ts";
import { makeDesk } from "./shells/shell-user.ts";

const CASES = [
  ["imgpack catal", "catalog"],
  ["imgpack hub sea", "search"],
  ["imgpack push --plain", "--plain-http"],
  ["imgpack convert --format uni", "universal"],
  ["imgpack convert --format=uni", "--format=universal"],
  ["imgpack push 'my", join(".", "my file.tar")],
  ["imgpack push ar", "archive.tar"],
  ["imgpack pull x --output ar", "ar.txt"],
  ["imgpack serve --store fo", "folder"],
  ["imgpack push --plain-http --plain", "NONE"],
] as const;

describeWith(["pwsh"], "completion in PowerShell", () => {
  test("completes commands, flags, values, files and folders", async () => {
    await using desk = await makeDesk(["my file.tar", "archive.tar", "ar.txt", "forest.tar", "folder/in.tar"]);
    const lines = CASES.map(([line]) => `'${line.replaceAll("'", "''")}'`).join(", ");
    const script = `${completionScript("powershell")}
foreach ($line in ${lines}) {
    $found = [System.Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null).CompletionMatches
    Write-Output (($found | ForEach-Object { $_.CompletionText }) -join '|')
}`;
    const env = { HOME: desk.home, PATH: `${desk.programs}:${process.env["PATH"]}` };
    const { code, stdout, stderr } = await run("pwsh", ["-NoProfile", "-Command", script], { cwd: desk.folder, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const answers = stdout.trimEnd().split("\n");
    for (const [at, [line, expected]] of CASES.entries()) {
      if (expected === "NONE") expect(answers[at], line).toBe("");
      else expect(answers[at], line).toContain(expected);
    }
    expect(answers[6]?.indexOf("archive.tar")).toBeLessThan(answers[6]?.indexOf("ar.txt") ?? -1);
    expect(answers[8]).not.toContain("forest");
  });
});
