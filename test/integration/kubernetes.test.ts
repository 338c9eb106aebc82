// deploy/kubernetes with kubectl: what it makes of the folders and of the commands of the page, and what a cluster says.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { kubernetesFaults } from "../support/kubernetes-faults.ts";
import { MANIFESTS, PARTS, readKustomization, readManifests } from "../support/pod-manifests.ts";
import { describeWith, type Probe } from "./peers/describe-with.ts";
import { findTool, run } from "./peers/run.ts";
import { createTempFolder, type TempFolder } from "./peers/temp-folder.ts";

const page = await readFile(new URL("../../docs/MANY-MACHINES.md", import.meta.url), "utf8");
const folderOf = (part: string): string => fileURLToPath(new URL(part, MANIFESTS));

/** A cluster that KUBECONFIG names, and that answers. */
async function probeCluster(): Promise<Probe> {
  const name = "cluster";
  if (findTool("kubectl") === undefined) return { name, missing: "kubectl is not installed" };
  if (process.env["KUBECONFIG"] === undefined) return { name, missing: "KUBECONFIG is not set" };
  const { code, stderr } = await run("kubectl", ["version", "--request-timeout=5s"]);
  return { name, missing: code === 0 ? undefined : stderr.trim() };
}

describeWith(["kubectl"], "deploy/kubernetes with kubectl", () => {
  let folder: TempFolder;
  beforeAll(async () => {
    folder = await createTempFolder();
    await writeFile(join(folder.path, "site.lock"), "{}");
    await writeFile(join(folder.path, "config.json"), '{"auths":{}}');
  });
  afterAll(async () => await folder?.remove());

  test.each(PARTS)("kustomize gives the manifests of %s, with the image that the folder names", async part => {
    const { code, stdout, stderr } = await run("kubectl", ["kustomize", folderOf(part)]);
    expect(code, stderr).toBe(0);
    const made = parseAllDocuments(stdout).map(document => document.toJS() as { readonly kind: string });
    const [image] = readKustomization(part).images;
    const text = JSON.stringify(readManifests(part)).replaceAll(
      '"image":"imgpack"',
      `"image":"${image?.newName}:${image?.newTag}"`,
    );
    const byKind = (one: { readonly kind: string }, other: { readonly kind: string }): number =>
      one.kind < other.kind ? -1 : 1;
    expect(made.sort(byKind)).toEqual((JSON.parse(text) as typeof made).sort(byKind));
  });

  test("the commands of the page make the Secret and the ConfigMap that the Job mounts", async () => {
    const [commands = ""] = /kubectl create secret[\s\S]*?(?=\nkubectl apply)/.exec(page) ?? [];
    const local = commands.replace('"$HOME/.docker/config.json"', "config.json");
    const lines = local.replaceAll(/\\\n\s*/g, "").split("\n");
    const made: { readonly kind: string; readonly metadata: { readonly name: string }; readonly data: object }[] = [];
    for (const line of lines) {
      const { code, stdout, stderr } = await run("sh", ["-c", `${line} --dry-run=client -o yaml`], {
        cwd: folder.path,
      });
      expect(code, stderr).toBe(0);
      made.push(parse(stdout));
    }
    expect(made.flatMap(manifest => kubernetesFaults(withoutNull(manifest)))).toEqual([]);
    expect(made.map(({ kind, metadata, data }) => [kind, metadata.name, Object.keys(data)])).toEqual([
      ["Secret", "imgpack-registries", [".dockerconfigjson"]],
      ["ConfigMap", "imgpack-lock", ["site.lock"]],
    ]);
    const job = JSON.stringify(readManifests("copy"));
    expect(job).toContain(
      '"secretName":"imgpack-registries","items":[{"key":".dockerconfigjson","path":"config.json"}]',
    );
    expect(job).toContain('"configMap":{"name":"imgpack-lock"}');
    expect(job).toContain('"--from-file=/lock/site.lock"');
  });
});

/** kubectl prints `creationTimestamp: null`. */
function withoutNull(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, found: unknown) => (found === null ? undefined : found)));
}

describeWith([await probeCluster()], "deploy/kubernetes in a cluster", () => {
  describe.each(PARTS)("%s", part => {
    test("the API server would take it, without a warning", async () => {
      const words = ["apply", "--dry-run=server", "--validate=strict", "-k", folderOf(part)];
      const { code, stderr } = await run("kubectl", words);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    });
  });
});
