import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { OTHER_TEMPLATES } from "../../../src/cli/advice/other-commands.ts";
import { OTHER_FLAGS } from "../../../src/cli/advice/other-flags.ts";
import { commandDefinitions } from "../../../src/cli/definitions/command-definitions.ts";
import { ownEnvironment, runCommand, said } from "../../support/command-line.ts";
import { temporaryFolder } from "../../support/images.ts";

ownEnvironment();
// Nothing listens there: what is no error of the command line must not reach a registry.
beforeAll(() => void vi.stubEnv("IMGPACK_REGISTRY", "127.0.0.1:1"));
afterAll(() => void vi.unstubAllEnvs());

const PASSWORD = "Passwords come from stdin, where no list of processes shows them: pass --password-stdin.";
const TLS = "Pass --insecure to accept any certificate, --plain-http for HTTP without TLS, or --ca-file FILE.";

/** A command line, split at spaces, and the hint. */
async function hintFor(line: string): Promise<{ readonly exitCode: number; readonly hint: string | undefined }> {
  const outcome = await runCommand(...line.split(" "));
  return { exitCode: outcome.exitCode, hint: said(outcome).at(-1) };
}

describe("a command line that is refused names what was meant:", () => {
  test.each([
    // Typing errors.
    ["psuh a.tar --registry r.lan:5000", 'Did you mean "imgpack push a.tar --registry r.lan:5000"?'],
    ["PULL", 'Did you mean "imgpack pull"?'],
    ["log", 'Did you mean "imgpack login" or "imgpack logout"?'],
    ["help enviroment", 'Did you mean "imgpack help environment"?'],
    ["help psuh", 'Did you mean "imgpack help push"?'],
    ["help hub serach", 'Did you mean "imgpack help hub search"?'],
    ["help rmi", 'Did you mean "imgpack delete IMAGE"?'],
    ["help frobnicate", 'See "imgpack --help".'],
    ["psuh --help", 'Did you mean "imgpack push"?'],
    [
      "lod app.tar",
      'Did you mean "imgpack push app.tar" (to a registry) or "imgpack convert app.tar docker://" (into Docker)?',
    ],
    ["--verison", 'Did you mean "imgpack --version"?'],
    ["hub serach nginx", 'Did you mean "imgpack hub search nginx"?'],
    ["completion bsh", 'Did you mean "bash"?'],
    ["push a.tar --regsitry=r.lan:5000", "Did you mean --registry=r.lan:5000?"],
    ["push a.tar --registy r.lan:5000", "Did you mean --registry?"],
    ["push a.tar -registry r.lan", "Did you mean --registry?"],
    ["push a.tar -tag r.lan/x:1", "Did you mean --tag?"],
    ["push a.tar --plainhttp", "Did you mean --plain-http?"],
    ["pull app:1 --ouput app.tar", "Did you mean --output?"],
    ["pull app:1 -o x.tar --progress jsn", "Did you mean --progress json?"],
    ["hub user r.lan --pasword-stdin", "Did you mean --password-stdin?"],
    ["push a.tar --output x", "--output is a flag of pull, convert and others."],
    ["push a.tar --no-verbose", "Leave out --verbose: it is off by default."],
    ["push a.tar --no-progress", "Did you mean --progress none?"],
    // docker, podman, ctr.
    [
      "save app:1 -o app.tar",
      'Did you mean "imgpack pull app:1 --output app.tar" (from a registry) or "imgpack convert docker://app:1 app.tar" (from Docker)?',
    ],
    [
      "load -i app.tar",
      'Did you mean "imgpack push app.tar" (to a registry) or "imgpack convert app.tar docker://" (into Docker)?',
    ],
    [
      "images",
      'Did you mean "imgpack inspect FILE" (an archive), "imgpack catalog HOST" (a registry) or "imgpack tags REPOSITORY" (a repository)?',
    ],
    ["rmi r.lan/a:1", 'Did you mean "imgpack delete r.lan/a:1"?'],
    ["search nginx", 'Did you mean "imgpack hub search nginx"?'],
    ["version", 'Did you mean "imgpack --version"?'],
    ["import-image root.tar", 'Did you mean "imgpack import root.tar --tag NAME"?'],
    ["login -p hunter2 -u me r.lan", PASSWORD],
    ["login --password hunter2 r.lan", PASSWORD],
    ["login --pasword=hunter2 r.lan", PASSWORD],
    ["pull r.lan:5000/app --all-tags -o a.tar", "Name the tags with a wildcard: 'r.lan:5000/app:*'."],
    // skopeo.
    [
      "sync",
      'Did you mean "imgpack copy SOURCE TARGET" (one image) or "imgpack copy --from-file LIST --to HOST" (many)?',
    ],
    ["list-tags r.lan/app", 'Did you mean "imgpack tags r.lan/app"?'],
    ["copy a b --src-tls-verify=false", TLS],
    ["push a.tar --tls-verify=false", TLS],
    ["copy a b --dest-tls-verify", "Leave it out: certificates are verified by default."],
    ["copy --insecure-policy a b", "Leave it out: imgpack reads no signature policy."],
    [
      "copy a b --authfile /x/auth.json",
      "Credentials are read where docker and podman store them; REGISTRY_AUTH_FILE=FILE names another file.",
    ],
    ["inspect a.tar --format {{.Digest}}", "Pass --json, and read the field that you need with jq."],
    ["copy docker://a.lan/x:1 docker://b.lan/x:1", 'Did you mean "imgpack copy a.lan/x:1 b.lan/x:1"?'],
    ["copy docker://a.lan/x:1 docker-archive:f.tar", 'Did you mean "imgpack pull a.lan/x:1 --output f.tar"?'],
    ["copy docker-archive:f.tar:x:1 docker://b.lan/x:1", 'Did you mean "imgpack push f.tar --tag b.lan/x:1"?'],
    ["copy oci-archive:f.tar docker://b.lan/x:1", 'Did you mean "imgpack push f.tar --tag b.lan/x:1"?'],
    ["copy docker://a.lan/x:1 oci:dir:1", 'Did you mean "imgpack pull a.lan/x:1 --output dir/"?'],
    ["copy dir:/x/d docker://b.lan/x:1", 'Did you mean "imgpack push /x/d/ --tag b.lan/x:1"?'],
    ["copy docker-daemon:x:1 docker://b.lan/x:1", 'Did you mean "imgpack push docker://x:1 --tag b.lan/x:1"?'],
    ["tags docker://a.lan/x", 'Did you mean "imgpack tags a.lan/x"?'],
    // crane.
    ["ls r.lan/app --plain-http", 'Did you mean "imgpack tags r.lan/app --plain-http"?'],
    ["ls r.lan:5000", 'Did you mean "imgpack catalog r.lan:5000"?'],
    ["list app.tar", 'Did you mean "imgpack inspect app.tar"?'],
    ["cp a.lan/x:1 b.lan/x:1", 'Did you mean "imgpack copy a.lan/x:1 b.lan/x:1"?'],
    ["validate app.tar", 'Did you mean "imgpack verify app.tar"?'],
    ["check a.lan/x:1", 'Did you mean "imgpack exists a.lan/x:1"?'],
    [
      "export app:1",
      'imgpack writes images, and never unpacks the files of one. Did you mean "imgpack pull app:1 --output FILE"?',
    ],
    ["append -f x -t y", 'imgpack does not change images. Did you mean "imgpack import FILE --tag NAME"?'],
    ["mutate app:1", 'imgpack does not change images. Did you mean "imgpack import FILE --tag app:1"?'],
    ["pull app:1 app.tar", 'Did you mean "imgpack pull app:1 --output app.tar"?'],
    // regctl, oras, hauler, zarf.
    ["image copy a.lan/x:1 b.lan/x:1", 'Did you mean "imgpack copy a.lan/x:1 b.lan/x:1"?'],
    ["tag ls r.lan/app", 'Did you mean "imgpack tags r.lan/app"?'],
    ["manifest get r.lan/app:1", 'Did you mean "imgpack manifest r.lan/app:1"?'],
    ["discover r.lan/app:1", 'Did you mean "imgpack referrers r.lan/app:1"?'],
    [
      "store save",
      'Did you mean "imgpack pull IMAGE... --output FILE" (from a registry) or "imgpack convert docker://IMAGE FILE" (from Docker)?',
    ],
    [
      "store add image nginx:1",
      'Did you mean "imgpack pull nginx:1 --output FILE" (from a registry) or "imgpack convert docker://nginx:1 FILE" (from Docker)?',
    ],
    ["tools registry copy a.lan/x:1 b.lan/x:1", 'Did you mean "imgpack copy a.lan/x:1 b.lan/x:1"?'],
    // A sentence must be true of the command that was typed.
    ["pull a.lan/x:1 -o x.tar --all", "Did you mean --platform all?"],
    ["pull a.lan/x:1 -o x.tar --all-platforms", "Did you mean --platform all?"],
    ["copy a.lan/x:1 b.lan/x:1 --all", "Leave it out: all platforms are taken by default, with their digests."],
    ["push --all-tags r.lan/app", "Name each image of Docker: imgpack push docker://r.lan/app:TAG."],
    [
      "pull a.lan/x:1 -o x.tar --format oci",
      "Leave it out: pull writes an archive that every runtime loads. For another format: imgpack convert FILE OUTPUT --format oci.",
    ],
    ["digest --full-ref r.lan/app:1", "Leave it out: the line has the registry, the repository and the digest."],
    [
      "build .",
      'imgpack does not build images. Did you mean "imgpack push docker://IMAGE" (an image that Docker built) or "imgpack import ROOTFS --tag NAME" (an image of one layer from a root filesystem)?',
    ],
    ["list-tags docker://r.lan/app", 'Did you mean "imgpack tags r.lan/app"?'],
    ["show docker://app:1", 'Did you mean "imgpack inspect docker://app:1"?'],
    [
      "save docker://app:1",
      'Did you mean "imgpack pull app:1 --output FILE" (from a registry) or "imgpack convert docker://app:1 FILE" (from Docker)?',
    ],
    // All that is wrong, in one round.
    [
      "copy --all docker://a.lan/x:1 docker://b.lan/x:1",
      'Leave it out: all platforms are taken by default, with their digests. Did you mean "imgpack copy a.lan/x:1 b.lan/x:1"?',
    ],
    ["pull a.lan/x:1", "For example: imgpack pull a.lan/x:1 --output x.tar"],
    ["pull a.lan/x:1 --platform all", "For example: imgpack pull a.lan/x:1 --platform all --output x.tar"],
    ["pull a.lan/x:1 a.lan/y", "For example: imgpack pull a.lan/x:1 a.lan/y --output images.tar"],
    ["serve --port 5000", "Did you mean --listen 127.0.0.1:5000?"],
    ["serve -p 5000", "Did you mean --listen 127.0.0.1:5000?"],
    ["push -i app.tar", "Name the archive without a flag: app.tar."],
    ["push app.tar --compression zstdd", "Did you mean --compression zstd?"],
    ["pull a.lan/x:1 -o x.tar --platform arm64", "Did you mean --platform linux/arm64?"],
    [
      "mirror",
      'Did you mean "imgpack mirrors --to HOST" (the files that let runtimes pull from a mirror) or "imgpack copy --from-file LIST --to HOST" (the images)?',
    ],
    [
      "pull -o one.tar two.tar a.lan/x:1",
      "All images go into the one archive that --output names. An image of that name is docker.io/library/two.tar.",
    ],
    ["tools registry ls r.lan/app", 'Did you mean "imgpack tags r.lan/app"?'],
  ])("%s", async (line, hint) => {
    expect(await hintFor(line)).toEqual({ exitCode: 2, hint });
  });
});

test("push and inspect of what other tools name differently say so, with the exit code of a file that is missing", async () => {
  expect(await hintFor("push docker-archive:f.tar")).toEqual({
    exitCode: 9,
    hint: 'Did you mean "imgpack push f.tar"?',
  });
  expect(await hintFor("inspect oci-archive:f.tar")).toEqual({
    exitCode: 9,
    hint: 'Did you mean "imgpack inspect f.tar"?',
  });
  expect(await hintFor("push f.tar r.lan/app:1")).toEqual({
    exitCode: 9,
    hint: 'Did you mean "imgpack push f.tar --tag r.lan/app:1"?',
  });
});

test("an archive that is not there has the nearest file of its folder as hint, or else an image of Docker", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "app.tar"), "");
  await writeFile(join(folder, "ap\u001bp.tar"), "");
  for (const command of ["push", "verify", "inspect", "doctor"]) {
    expect(await hintFor(`${command} ${folder}/app.tr`)).toEqual({
      exitCode: 9,
      hint: `Did you mean "${folder}/app.tar"?`,
    });
  }
  expect(await hintFor("push r.lan:5000/team/app:1.4")).toEqual({
    exitCode: 9,
    hint: "To push an image of Docker: imgpack push docker://r.lan:5000/team/app:1.4",
  });
});

test("an unknown flag that takes the only argument is what is wrong, not the argument", async () => {
  expect((await runCommand("digest", "--full-ref", "r.lan/app:1")).stderr).toContain(
    'Cannot run digest: unknown flag "--full-ref", expected a flag of digest',
  );
});

describe("a hint repeats no argument", () => {
  test.each([
    ["that may be a secret", ["save", "--token", "hunter2", "app:1"]],
    ["of a flag with a secret", ["psuh", "a.tar", "--password", "hunter2"]],
    ["with user and password", ["cp", "me:hunter2@r.lan/a:1", "b.lan/a:1"]],
    ["that would control the terminal", ["cp", "\u001b[31mhunter2", "b.lan/a:1"]],
    ["that a shell would run", ["cp", "$(hunter2)", "b.lan/a:1"]],
    ["that ends its quotes", ["cp", "'; hunter2 '", "b.lan/a:1"]],
    ["that is long", ["cp", "hunter2".repeat(100), "b.lan/a:1"]],
    ["that would be a secret of a flag with another name", ["push", "a.tar", "--registry-password=hunter2"]],
  ])("%s", async (_what, words) => {
    const outcome = await runCommand(...words);
    expect(outcome.exitCode).toBe(2);
    expect(outcome.stderr).not.toContain("hunter2");
    expect(outcome.stderr).not.toContain("\u001b");
  });

  test("and puts quotes around what a shell would change", async () => {
    expect(await hintFor("ls r.lan/app;x")).toMatchObject({ hint: "Did you mean \"imgpack tags 'r.lan/app;x'\"?" });
  });
});

test.each([
  "frobnicate",
  "x",
  "hub frob",
  "push a.tar --frobnicate",
  "push a.tar -x",
  "constructor",
  "push a.tar --__proto__",
])("%s is like nothing: no guess, but the help", async line => {
  const { exitCode, hint } = await hintFor(line);
  expect(exitCode).toBe(2);
  expect(hint).toMatch(/^See "imgpack (?:push |hub )?--help"\.$/);
});

test("a repository that is named like a transport is a reference", async () => {
  const outcome = await runCommand("tags", "oci:1");
  expect(outcome.exitCode).toBe(2);
  expect(outcome.stderr).not.toContain("Did you mean");
});

test("--json has the hint in its object", async () => {
  const { stdout } = await runCommand("cp", "a.lan/x:1", "b.lan/x:1", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    error: { hint: 'Did you mean "imgpack copy a.lan/x:1 b.lan/x:1 --json"?' },
  });
});

test("what is named in place of words of other tools exists", async () => {
  const commands = await commandDefinitions();
  const all = commands.flatMap(command => [command, ...command.subcommands]);
  for (const template of OTHER_TEMPLATES.filter(each => each !== "--version")) {
    const command = all.findLast(({ name }) => template === name || template.startsWith(`${name} `));
    expect(command, template).toBeDefined();
    const flags = command?.flags.map(({ name }) => `--${name}`) ?? [];
    expect(flags).toEqual(expect.arrayContaining(template.match(/--[a-z-]+/g) ?? []));
  }
  const flags = all.flatMap(command => command.flags.map(({ name }) => `--${name}`));
  for (const { text, flags: needed } of OTHER_FLAGS) {
    expect(flags).toEqual(
      expect.arrayContaining([...(text.match(/--[a-z-]+/g) ?? []), ...needed.map(name => `--${name}`)]),
    );
  }
});
