import { expect, test } from "vitest";
import { runCommand } from "../../../support/command-line.ts";
import { dockerArchive, fileWith } from "../../../support/images.ts";
import { ScriptedRegistry } from "../../../support/scripted-registry.ts";

test("a push and a copy of what is there end with one line that says so, and name each image with --verbose", async () => {
  const { host } = await ScriptedRegistry.start();
  const path = await fileWith(dockerArchive({ tags: ["app:1", "app:2"], layers: [Buffer.from("layer")] }));
  await runCommand("push", path, "--registry", host);
  const again = await runCommand("push", path, "--registry", host);
  const proof = "All 2 images are there: nothing was sent";
  expect(again.stderr).toContain(`${proof}, `);
  expect(again.stderr).toContain("were not read");
  expect(again.stderr).not.toContain("is this image already");
  const copying = ["copy", `${host}/app:1`, `${host}/app:2`, "--to", `${host}/mirror`];
  expect((await runCommand(...copying)).stderr).toContain("Copied ");
  expect((await runCommand(...copying)).stderr).toMatch(new RegExp(`${proof}, [\\d.]+ s\\n$`));
  expect((await runCommand(...copying, "--verbose")).stderr).toContain("app:1 is this image already: nothing to copy");
  const { exitCode, stderr } = await runCommand(...copying, `${host}/absent:1`);
  expect(stderr).toContain(`2 images are there: nothing was sent, `);
  expect(stderr).not.toContain("All");
  expect(exitCode).not.toBe(0);
});
