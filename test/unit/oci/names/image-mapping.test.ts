import { describe, expect, test } from "vitest";
import { mapImageName, parseNameMap, type TargetLayout } from "../../../../src/oci/names/image-mapping.ts";
import { formatReference, isRepository, parseReference } from "../../../../src/oci/reference.ts";

const D = `sha256:${"a".repeat(64)}`;

interface Given {
  readonly layout?: TargetLayout;
  readonly maps?: readonly string[];
  readonly registry?: string;
  readonly prefix?: string;
}

function target(name: string, { registry = "r.lan", prefix = "m", layout, maps = [] }: Given = {}): string {
  return formatReference(
    mapImageName(parseReference(name), { registry, prefix, layout, maps: maps.map(parseNameMap) }),
  );
}

describe("mapImageName", () => {
  test.for<readonly [string, TargetLayout, string]>([
    ["docker.io/library/redis:7", "path", "r.lan/m/redis:7"],
    ["redis:7", "path", "r.lan/m/redis:7"],
    ["docker.io/rancher/k3s:1", "path", "r.lan/m/rancher/k3s:1"],
    ["quay.io/library/redis:7", "path", "r.lan/m/library/redis:7"],
    [`quay.io/a/b:1@${D}`, "path", `r.lan/m/a/b:1@${D}`],
    ["docker.io/library/redis:7", "full", "r.lan/m/docker.io/library/redis:7"],
    ["index.docker.io/rancher/k3s:1", "full", "r.lan/m/docker.io/rancher/k3s:1"],
    [`quay.io/a/b@${D}`, "full", `r.lan/m/quay.io/a/b@${D}`],
    ["r.lan:5000/a:1", "full", "r.lan/m/r.lan_5000/a:1"],
    ["localhost/a:1", "full", "r.lan/m/localhost/a:1"],
    ["[2001:db8::1]:5000/a:1", "full", "r.lan/m/2001-db8--1_5000/a:1"],
    ["[::1]/a:1", "full", "r.lan/m/0--1/a:1"],
    ["[fe80::]:80/a:1", "full", "r.lan/m/fe80--0_80/a:1"],
    ["[::]:80/a:1", "full", "r.lan/m/0--0_80/a:1"],
    ["docker.io/library/redis:7", "flat", "r.lan/m/redis:7"],
    ["quay.io/a/b/c_d:1", "flat", "r.lan/m/a-b-c_d:1"],
  ])("%s with layout %s goes to %s", ([name, layout, expected]) => {
    expect(target(name, { layout })).toBe(expected);
    expect(isRepository(parseReference(expected).repository)).toBe(true);
  });

  test("the longest --map that fits in whole parts wins, in any order, and replaces the layout's path", () => {
    for (const maps of [
      ["quay.io=q", "quay.io/team=t", "quay.io/team/app=apps/web"],
      ["quay.io/team/app=apps/web", "quay.io/team=t", "quay.io=q"],
    ]) {
      expect(target("quay.io/team/app:1", { maps, layout: "full" })).toBe("r.lan/m/apps/web:1");
      expect(target("quay.io/team/app2:1", { maps })).toBe("r.lan/m/t/app2:1");
      expect(target("quay.io/team2/app:1", { maps })).toBe("r.lan/m/q/team2/app:1");
      expect(target("ghcr.io/team/app:1", { maps, layout: "full" })).toBe("r.lan/m/ghcr.io/team/app:1");
    }
  });

  test("--map of Docker Hub: its registry, library, and a path without a registry", () => {
    expect(target("redis:7", { maps: ["docker.io=hub"] })).toBe("r.lan/m/hub/library/redis:7");
    expect(target("redis:7", { maps: ["docker.io/library="] })).toBe("r.lan/m/redis:7");
    expect(target("redis:7", { maps: ["index.docker.io/library=base"] })).toBe("r.lan/m/base/redis:7");
    expect(target("docker.io/rancher/k3s:1", { maps: ["rancher/=k/"] })).toBe("r.lan/m/k/k3s:1");
    expect(target("[::1]:5000/a:1", { maps: ["[::1]:5000=six"] })).toBe("r.lan/m/six/a:1");
  });

  test("--layout flat leaves one part of a mapped path, too", () => {
    expect(target("quay.io/team/app:1", { layout: "flat", maps: ["quay.io/team=a/b"] })).toBe("r.lan/m/a-b-app:1");
  });

  test("a registry of Docker Hub as the target has library/ for a repository of one part", () => {
    expect(target("quay.io/app:1", { registry: "docker.io", prefix: "" })).toBe("docker.io/library/app:1");
    expect(target("quay.io/app:1", { registry: "docker.io", prefix: "team" })).toBe("docker.io/team/app:1");
  });

  test("a path that no registry takes is refused: nothing left of it, or too long", () => {
    expect(() => target("quay.io/app:1", { prefix: "", maps: ["quay.io/app="] })).toThrow(
      'Cannot name "quay.io/app" below r.lan: found repository ""',
    );
    const long = `quay.io/${"a".repeat(250)}:1`;
    expect(() => target(long, { layout: "full" })).toThrow("expected at most 255 characters");
  });

  test.for<readonly [string, string]>([
    ["quay.io", 'no "="'],
    ["=x", "nothing to replace"],
    ["quay.io=UP", 'bad path "UP"'],
    ["quay.io=r.lan:5000/x", 'bad path "r.lan:5000/x"'],
    ["quay.io/a:1=x", "a tag or digest"],
    ["bad_host.x:99999=x", "a bad registry host"],
    ["quay.io/UP=x", "a bad repository"],
  ])("--map %s is refused", ([text, found]) => {
    expect(() => parseNameMap(text)).toThrow(found);
  });
});
