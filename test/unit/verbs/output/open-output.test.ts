import { link, mkdir, open, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../../src/errors.ts";
import { doctor, importImage } from "../../../../src/index.ts";
import { checkOutputApart, openOutput } from "../../../../src/verbs/output/open-output.ts";
import { temporaryFolder } from "../../../support/images.ts";

describe("openOutput()", () => {
  test("openOutput() distinguishes a file, a folder to be, a folder that is, and a stream", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "is"));
    const kinds = await Promise.all(
      [join(folder, "out.tar"), join(folder, "out/"), join(folder, "is"), new PassThrough()].map(
        async output => await openOutput(output, undefined),
      ),
    );
    expect(kinds.map(({ kind, format }) => [kind, format])).toEqual([
      ["file", "universal"],
      ["folder", "oci"],
      ["folder", "oci"],
      ["stream", "universal"],
    ]);
    expect(kinds[3]).toMatchObject({ name: "-", maxConcurrency: 4 });
  });

  test.each(["x.tar.gz", "x.TGZ", "x.tar.zst", "x.xz", "x.tar.bz2"])(
    "openOutput() writes no plain tar to %s",
    async name => {
      const ending = /\.[^.]+$/.exec(name)?.[0];
      await expect(openOutput(name)).rejects.toMatchObject({
        exitCode: 2,
        message: `Cannot write "${name}": found ending ${ending}, expected a name for a plain tar`,
        hint: expect.stringContaining("compressed already"),
      });
      await expect(importImage("rootfs/", { tag: "a", output: name })).rejects.toThrow(`found ending ${ending}`);
      await expect(doctor("a.tar", { repair: name })).rejects.toThrow(`found ending ${ending}`);
    },
  );

  test("openOutput() has no docker format for a folder", async () => {
    await expect(openOutput("out/", { format: "docker" })).rejects.toThrow(UsageError);
  });
});

describe("checkOutputApart()", () => {
  test("F-04 checkOutputApart() refuses the file that is read, by whatever name", async () => {
    const folder = await temporaryFolder();
    const [input, other, soft] = ["in.tar", "other.tar", "soft.tar"].map(name => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(input, "archive");
    await link(input, other);
    await symlink("in.tar", soft);
    for (const output of [input, other, soft, `${folder}/./in.tar`]) {
      await expect(checkOutputApart([input], output)).rejects.toThrow("it is the input");
    }
    await checkOutputApart([input], join(folder, "new.tar"));
    await checkOutputApart(["-"], input);
  });

  test("F-04 checkOutputApart() refuses an input that stands where the output is written first", async () => {
    const input = join(await temporaryFolder(), "out.tar.partial");
    await writeFile(input, "archive");
    await expect(checkOutputApart([input], input.replace(".partial", ""))).rejects.toThrow(UsageError);
  });

  test("F-04 checkOutputApart() refuses an output in a folder that is read, also through a link", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "layout"));
    await symlink("layout", join(folder, "link"));
    for (const output of ["layout/index.json", "link/new.tar", "layout/sub/"]) {
      const checked = checkOutputApart([join(folder, "layout")], `${folder}/${output}`);
      await expect(checked).rejects.toThrow("expected a path outside of it");
    }
    await checkOutputApart([join(folder, "layout")], join(folder, "layout.tar"));
  });

  test("F-04 checkOutputApart() refuses a stdout that is redirected to the file that is read", async () => {
    const input = join(await temporaryFolder(), "in.tar");
    await writeFile(input, "archive");
    await using file = await open(input, "a");
    await expect(checkOutputApart([input], Object.assign(new PassThrough(), { fd: file.fd }))).rejects.toThrow(
      "stdout",
    );
  });
});
