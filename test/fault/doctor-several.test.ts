import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { dockerArchive, fileWith, temporaryFolder } from "../support/images.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";

ownEnvironment();

const whole = async (tag = "app:1"): Promise<string> => await fileWith(dockerArchive({ tags: [tag] }));
const faulty = async (): Promise<string> => {
  const layer = tarArchive([tarEntry({ name: "hello", body: "hello\n" })]);
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [`sha256:${"0".repeat(64)}`] },
  });
  return await fileWith(dockerArchive({ tags: ["bad:1"], layers: [layer], config }));
};

describe("imgpack doctor with several archives", () => {
  test("doctor reports each of them", async () => {
    const ended = await runCommand("doctor", await whole(), await whole("other:2"));
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout.match(/^Archive /gm)).toHaveLength(2);
    expect(ended.stdout).toMatch(/\n\nArchive /);
  });

  test("doctor --json prints one object with all of them, and that of a single one as before", async () => {
    const [one, other] = [await whole(), await whole("other:2")];
    const both = JSON.parse((await runCommand("doctor", one, other, "--json")).stdout);
    expect(both.archives.map(({ archive }: { archive: string }) => archive)).toEqual([one, other]);
    const single = JSON.parse((await runCommand("doctor", one, "--json")).stdout);
    expect(single.archive).toBe(one);
  });

  test("one that is faulty or missing has exit code 10, and the others are reported", async () => {
    const missing = join(await temporaryFolder(), "none.tar");
    const [bad, good] = [await faulty(), await whole()];
    const ended = await runCommand("doctor", missing, bad, good);
    expect(ended.exitCode).toBe(10);
    expect(ended.stdout.match(/^Archive /gm)).toHaveLength(2);
    expect(said(ended)[0]).toBe("Cannot accept 2 of 3 archives:");
    const json = JSON.parse((await runCommand("doctor", missing, bad, good, "--json")).stdout);
    expect(json).toMatchObject({ failed: [missing, bad], archives: [{ archive: bad }, { archive: good }] });
    expect(json.error.code).toBe("ERR_PARTIAL");
  });

  test("all of them faulty have the exit code of one", async () => {
    expect((await runCommand("doctor", await faulty(), await faulty())).exitCode).toBe(6);
    expect((await runCommand("doctor", await faulty())).exitCode).toBe(6);
  });

  test("--repair takes one archive", async () => {
    const ended = await runCommand("doctor", await whole(), await whole(), "--repair", "x.tar");
    expect(ended.exitCode).toBe(2);
    expect(ended.stdout).toBe("");
  });
});
