// `imgpack lock --list`: what files name, with places, as a list that -f reads.
import { describe, expect, test } from "vitest";
import { parseList } from "../../../src/bundle/list/parse-list.ts";
import { ownEnvironment, runCommand, said } from "../../support/command-line.ts";
import { fileWith } from "../../support/images.ts";

ownEnvironment();

async function list(text: string): Promise<string> {
  return await fileWith(Buffer.from(text), "images.txt");
}

describe("imgpack lock --list", () => {
  test("prints each reference once, with its place, as lines that -f reads", async () => {
    const path = await list("# x\nnginx:1.27 linux/amd64 -> r.lan/web\nredis:7\nr.lan/**:1.*\nredis:7 # again\n");
    const { exitCode, stdout } = await runCommand("lock", "--list", "-f", path, "quay.io/a:1", "redis:7");
    expect(exitCode).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "quay.io/a:1\tcertain\targument:1",
      "redis:7\tcertain\targument:2",
      `nginx:1.27 linux/amd64 -> r.lan/web\tcertain\t${path}:2`,
      `r.lan/**:1.*\tcertain\t${path}:4`,
      "",
    ]);
    const again = await runCommand("lock", "--list", "-f", await list(stdout));
    const texts = (text: string) => parseList(text, "").references.map(({ line: _, ...rest }) => rest);
    expect(texts(again.stdout)).toEqual(texts(stdout));
    expect(texts(stdout)).toHaveLength(4);
  });

  test("--json has references and refused texts in one object, and exit code 2 if there are any", async () => {
    const path = await list("nginx:1.27 linux/amd64,all\nredis:7 linux/amd64 -> r.lan/b\n");
    const { exitCode, stdout } = await runCommand("lock", "--list", "--json", "-f", path);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      references: [
        { name: "redis:7", class: "certain", file: path, line: 2, platforms: ["linux/amd64"], as: "r.lan/b" },
      ],
      refused: [
        {
          file: path,
          line: 1,
          text: "nginx:1.27 linux/amd64,all",
          why: 'found "all" next to other platforms, expected it alone',
        },
      ],
      error: expect.objectContaining({ code: "ERR_USAGE" }),
    });
  });

  test("reports bad references of the command line, and prints nothing", async () => {
    const run = await runCommand("lock", "--list", "ok:1", "Bad:1", "a\nb:1");
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(said(run)).toEqual([
      "Cannot read images from argument: 2 bad lines found, expected none",
      expect.stringMatching(/^argument:2: "Bad:1": found a bad repository/),
      expect.stringMatching(/^argument:3: "a\\u\{0\}b:1": found a blank, control or non-ASCII character/),
      'See "imgpack lock --help".',
    ]);
  });

  test("a list of kubeadm with one pause image gets a hint, with two it gets none", async () => {
    const images = ["kube-apiserver:v1.33.4", "kube-proxy:v1.33.4", "coredns/coredns:v1.12.0", "pause:3.10"];
    const text = images.map(name => `registry.k8s.io/${name}\n`).join("");
    const hint =
      "registry.k8s.io/pause:3.10 is the pause image of kubeadm; containerd may need another version: add the sandbox_image of its config.toml\n";
    expect((await runCommand("lock", "--list", "-f", await list(text))).stderr).toBe(hint);
    expect((await runCommand("lock", "--list", "--quiet", "-f", await list(text))).stderr).toBe("");
    expect(
      (await runCommand("exists", "-f", await list(text), "--to", "127.0.0.1:9", "--retry", "0")).stderr,
    ).toContain(hint);
    for (const other of [`${text}registry.k8s.io/pause:3.8\n`, "registry.k8s.io/pause:3.10\n"])
      expect((await runCommand("lock", "--list", "-f", await list(other))).stderr).toBe("");
  });

  test("needs an input", async () => {
    const run = await runCommand("lock", "--list");
    expect(run.exitCode).toBe(2);
    expect(said(run)[0]).toBe("Cannot run lock: no input given, expected at least one");
  });
});
