import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ownEnvironment, runCommand, said } from "../../support/command-line.ts";
import { temporaryFolder } from "../../support/images.ts";

ownEnvironment();
// Nothing listens there.
beforeAll(() => void vi.stubEnv("IMGPACK_REGISTRY", "127.0.0.1:1"));
afterAll(() => void vi.unstubAllEnvs());

const REFUSED = "Check the registry's host name and port.";
const NO_ARCHIVE = 'Image archives come from "docker save", "podman save", "skopeo copy" or "imgpack pull".';

/** A file in the folder of the tests has the name of an image. */
const LIST = "package.json";
const SAYS = `A file of that name is here: to read it as a list, use -f ${LIST}.`;

async function hintFor(line: string): Promise<{ readonly exitCode: number; readonly hint: string | undefined }> {
  const outcome = await runCommand(...line.split(" "));
  return { exitCode: outcome.exitCode, hint: said(outcome).at(-1) };
}

describe("a list without -f is taken for an image, and the hint of the failure names -f:", () => {
  test.each([
    [`pull ${LIST} -o x.tar --retry 0`, 7, `${SAYS} ${REFUSED}`],
    [`copy ${LIST} --to 127.0.0.1:2 --retry 0`, 7, `${SAYS} ${REFUSED}`],
    [`copy ${LIST} 127.0.0.1:2/x --retry 0`, 7, `${SAYS} ${REFUSED}`],
    [`exists ${LIST} --retry 0`, 7, `${SAYS} ${REFUSED}`],
    [
      `copy ${LIST} tsconfig.json nginx --to 127.0.0.1:2 --retry 0`,
      7,
      `Files of these names are here: to read them as lists, use -f ${LIST} -f tsconfig.json. Fix the cause and run the same command again. ${REFUSED}`,
    ],
    [`lock ${LIST}`, 3, `${SAYS} ${NO_ARCHIVE}`],
    [`push ${LIST} --registry 127.0.0.1:1`, 3, `${SAYS} ${NO_ARCHIVE}`],
    [`pull ${LIST}`, 2, SAYS],
  ])("%s", async (line, exitCode, hint) => {
    expect(await hintFor(line)).toEqual({ exitCode, hint });
  });

  test("--json has it, too", async () => {
    const { stdout } = await runCommand("pull", LIST, "-o", "x.tar", "--retry", "0", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "ERR_NETWORK", hint: `${SAYS} ${REFUSED}` } });
  });
});

test.each([
  ["no file has the name", "pull site.lock -o x.tar --retry 0"],
  ["it is a folder", "pull docs -o x.tar --retry 0"],
  ["the reference names a registry", `pull 127.0.0.1:1/${LIST} -o x.tar --retry 0`],
  ["the file is the value of a flag", `pull nginx -o x.tar --ca-file ${LIST} --retry 0`],
  ["the command reads no list", `tags ${LIST} --retry 0`],
])("the hint is as it was where %s", async (_what, line) => {
  expect((await hintFor(line)).hint).not.toContain("-f ");
});

test("a list that is not there has the nearest file of its folder as hint", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "site.lock"), "");
  expect(await hintFor(`pull -f ${folder}/site.lok -o x.tar`)).toEqual({
    exitCode: 2,
    hint: `Did you mean "${folder}/site.lock"?`,
  });
  expect(await hintFor(`lock -f ${folder}/other.txt`)).toEqual({ exitCode: 2, hint: 'See "imgpack lock --help".' });
});
