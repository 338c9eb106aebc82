import { describe, expect, test } from "vitest";
import { fetchJson, fetchPage, LINUX_AMD64, LINUX_ARM64, MemoryServed, memorySite } from "./memory-served.ts";

const NAME = "registry.example/team/app";
const URL = `/image/${NAME}:1.0`;

const HISTORY = [
  { created_by: "/bin/sh -c #(nop) ADD file:abc in / " },
  { created_by: '/bin/sh -c #(nop)  CMD ["bash"]', empty_layer: true },
  { created_by: "RUN /bin/sh -c apt-get update\n  && true # buildkit" },
];

function served(): MemoryServed {
  const registry = new MemoryServed();
  const layers = [registry.layer("base", 30_000_000), registry.layer("own", 10_000_000)];
  const config = {
    history: HISTORY,
    created: "2026-11-19T08:41:12.5Z",
    config: {
      Env: ["A=b=c", "EMPTY="],
      Cmd: ["node", "a b"],
      Labels: { "org.opencontainers.image.licenses": "Apache-2.0" },
    },
  };
  registry.image(NAME, "1.0", { layers, config });
  registry.image(NAME, "0.9", { layers: layers.slice(0, 1), config: { history: HISTORY.slice(0, 2) } });
  return registry;
}

describe("GET /image/NAME", () => {
  test("shows layers and history as one list, to scale, with the sum in its heading", async () => {
    const { text } = await fetchPage(memorySite(served()), URL);
    const rows = [
      ...text.matchAll(
        /<li(?: class="(\w+)")?(?: id="layer-\d")?><span class="n">(\d?)<\/span><div><span class="by">(.*?)<\/span><\/div>/g,
      ),
    ];
    expect(rows.map(([, kind, number, step]) => [kind, number, step])).toEqual([
      [undefined, "1", "<b>ADD</b> file:abc in /"],
      ["empty", "", "<b>CMD</b> [&quot;bash&quot;]"],
      [undefined, "2", "<b>RUN</b> apt-get update &amp;&amp; true"],
    ]);
    expect(text).toMatch(/<rect x="0.00%" width="100.00%" height="12" fill="url\(#shared\)"\/>/);
    expect(text).toMatch(/<rect class="b-own" x="0.00%" width="33.33%" height="12"\/>/);
    expect(text).toMatch(/2 layers · 38\.1\sMiB compressed/);
    expect(text).toContain("shared with 1 other image");
    expect(text).toContain(
      `href="/compare?a=registry.example%2Fteam%2Fapp%3A0.9&amp;b=registry.example%2Fteam%2Fapp%3A1.0"`,
    );
    expect(text).toContain("2026-11-19 08:41 UTC");
    expect(text).toMatch(/<dt><code>A<\/code><\/dt><dd><code>b=c<\/code>/);
    expect(text).toContain("<code>node &quot;a b&quot;</code>");
    expect(text).toMatch(/<dt>Label says<\/dt><dd><code>Apache-2.0/);
  });

  test("a history of other layers is left out, and the page says so", async () => {
    const registry = new MemoryServed();
    registry.image(NAME, "1.0", { config: { history: HISTORY } });
    const { text } = await fetchPage(memorySite(registry), URL);
    expect(text).toContain("The image has no history that fits its layers");
    expect(text.match(/<li id="layer-/g)).toHaveLength(1);
  });

  test("each platform is a link; one that is left out is none, and an unknown one is ignored", async () => {
    const registry = new MemoryServed();
    const amd64 = registry.image(NAME, undefined, { config: { id: 1 }, layers: [registry.layer("amd64", 100)] });
    const arm64 = registry.image(NAME, undefined, { config: { id: 2 }, layers: [registry.layer("arm64", 200)] });
    const windows = {
      ...registry.layer("w", 1),
      mediaType: amd64.mediaType,
      platform: { os: "windows", architecture: "amd64" },
    };
    const { digest } = registry.index(NAME, "1.0", [
      { ...amd64, platform: LINUX_AMD64 },
      { ...arm64, platform: LINUX_ARM64 },
      windows,
    ]);
    const site = memorySite(registry);
    const { text } = await fetchPage(site, `${URL}?platform=linux/arm64/v8`);
    expect(text).toContain(`<a href="${URL}?platform=linux%2Famd64"><b>linux/amd64</b>`);
    expect(text).toContain(`<a href="${URL}?platform=linux%2Farm64%2Fv8" aria-current="true">`);
    expect(text).toContain('<span class="off"><b>windows/amd64</b><small>named by the image, not here</small>');
    expect(text).toContain(`<code class="digest full">${arm64.digest}</code>`);
    for (const platform of ["windows/amd64", "x%3Cy"])
      expect((await fetchPage(site, `${URL}?platform=${platform}`)).text).toContain(
        `<code class="digest full">${amd64.digest}</code>`,
      );
    expect((await fetchPage(site, `/image/${NAME}@${digest}`)).status).toBe(200);
  });

  test("pull commands name this server, in plain HTTP or TLS, by tag and by digest", async () => {
    const registry = served();
    const commands = async (isTls: boolean, host: string, url = URL, isPrivate = false): Promise<readonly string[]> => {
      const { text } = await fetchPage(memorySite(registry, { isTls, isPrivate }), url, { host });
      return [...text.matchAll(/<code class="cmd(?: ref)?" tabindex="0">(.*?)<\/code>/g)].map(([, line = ""]) =>
        line.replaceAll("<wbr>", ""),
      );
    };
    const digest = registry.at(NAME).tagged("1.0") ?? "";
    expect(await commands(false, "registry.lan:5000")).toEqual([
      `docker pull registry.lan:5000/${NAME}:1.0`,
      `podman pull --tls-verify=false registry.lan:5000/${NAME}:1.0`,
      `ctr -n k8s.io images pull --plain-http registry.lan:5000/${NAME}:1.0`,
      `crictl pull registry.lan:5000/${NAME}:1.0`,
      `registry.lan:5000/${NAME}:1.0`,
      `registry.lan:5000/${NAME}@${digest}`,
    ]);
    expect((await commands(true, "registry.lan"))[1]).toBe(`podman pull registry.lan/${NAME}:1.0`);
    registry.image("charts/app", "1.0_build", { extra: { artifactType: "application/vnd.cncf.helm.config.v1+json" } });
    expect(await commands(false, "h:1", "/image/charts/app:1.0_build")).toContain(
      "helm pull --plain-http oci://h:1/charts/app --version 1.0+build",
    );
    // A server that asks for a login: where tools keep logins, log in first.
    expect((await commands(false, "h:1", URL, true)).slice(0, 6)).toEqual([
      "docker login h:1",
      `docker pull h:1/${NAME}:1.0`,
      "podman login --tls-verify=false h:1",
      `podman pull --tls-verify=false h:1/${NAME}:1.0`,
      `ctr -n k8s.io images pull --plain-http --user NAME h:1/${NAME}:1.0`,
      `crictl pull --creds NAME:PASSWORD h:1/${NAME}:1.0`,
    ]);
    expect(await commands(true, "h:1", "/image/charts/app:1.0_build", true)).toContain("helm registry login h:1");
    const local = await fetchPage(memorySite(registry), URL, { host: "127.0.0.1:5000" });
    expect(local.text).not.toContain("insecure-registries");
  });

  test("labels, variables and steps are text, whatever they say, and are cut", async () => {
    const registry = new MemoryServed();
    const nasty = `"><script>alert(1)</script><img src=x onerror='a()'> \u202etxet\u0007 ${"a".repeat(1_000_000)}`;
    const labels = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`label.${index}"<b>`, `${index}`]));
    const config = {
      history: [{ created_by: nasty }],
      author: nasty,
      config: {
        Env: [`<b>=${nasty}`, nasty],
        Labels: { "0": nasty, ...labels },
        Cmd: [nasty],
        User: nasty,
        ExposedPorts: { [nasty]: {} },
      },
    };
    registry.image(NAME, "1.0", { config, extra: { annotations: { [nasty]: nasty } } });
    const { text, status } = await fetchPage(memorySite(registry), URL);
    expect(status).toBe(200);
    expect(text).not.toMatch(/<script|<img|<b>=|\u202e|label\.0"<b>/);
    expect(text).toContain("&lt;script&gt;alert(1)");
    expect(text).toContain('<span class="esc">\\u{202e}</span>txet');
    expect(text).toMatch(/cut, 1\u202f000\u202f\d{3} characters/);
    expect(text).toContain("more not shown.");
    expect(text.match(/<dt><code>label/g)?.length).toBeLessThanOrEqual(200);
    expect(text.length).toBeLessThan(400_000);
  });

  test("20,000 steps and 2,000 platforms are a page that can be read", async () => {
    const registry = new MemoryServed();
    const history = Array.from({ length: 20_000 }, () => ({ created_by: "x", empty_layer: true }));
    const child = registry.image(NAME, undefined, { layers: [], config: { history } });
    const others = Array.from({ length: 2000 }, (_, index) => ({
      ...registry.layer(`${index}`, 1),
      mediaType: child.mediaType,
      platform: { os: "linux", architecture: `a${index}` },
    }));
    registry.index(NAME, "1.0", [{ ...child, platform: LINUX_AMD64 }, ...others]);
    const { text } = await fetchPage(memorySite(registry), URL);
    expect(text).toContain("The first 1\u202f000 of 20\u202f000 steps are shown.");
    expect(text).toContain("The first 200 of 2\u202f001 are shown.");
    expect(text.length).toBeLessThan(400_000);
  });

  test("of many repositories, those that are spelled most like an unknown name are found", async () => {
    const registry = new MemoryServed();
    for (let number = 0; number < 300; number += 1) registry.image(`registry.example/team/other-${number}`, "1.0");
    for (const name of ["payments", "zebra"]) registry.image(`registry.example/team/${name}`, "1.0");
    const { text } = await fetchPage(memorySite(registry), "/image/registry.example/team/paymnets:1.0");
    expect(text).toMatch(/<ul class="measure"><li><a href="\/image\/registry\.example\/team\/payments:1\.0">/);
    const short = await fetchPage(memorySite(registry), "/image/zebra:1.0");
    expect(short.text).toContain('href="/image/registry.example/team/zebra:1.0"');
  });

  test("a name that is unknown is 404 with the nearest names, as a page and as JSON", async () => {
    const site = memorySite(served());
    const { text, status } = await fetchPage(site, "/image/team/ap:1.0");
    expect(status).toBe(404);
    expect(text).toContain(`<a href="${URL}">`);
    expect(await fetchJson(site, "/image/team/ap:1.0")).toMatchObject({
      errors: [{ code: "MANIFEST_UNKNOWN", detail: { nearest: [`${NAME}:1.0`, `${NAME}:0.9`] } }],
    });
    const hostile = await fetchPage(site, "/image/%3Cscript%3Ex%E2%80%AEy%22");
    expect(hostile.text).not.toMatch(/<script|\u202e/);
    expect(hostile.text).toContain("&lt;script&gt;");
  });
});

describe("GET /damage", () => {
  test("says that none was found, or where it is, whom it concerns and what to do", async () => {
    const registry = served();
    expect((await fetchPage(memorySite(registry), "/damage")).text).toContain("<h1>No damage found</h1>");
    const layer = registry.layer("own", 10_000_000);
    registry.damage.push({
      digest: layer.digest,
      range: { start: 4_000_000, end: 8_000_000 },
      path: "/x/<b>.tar",
      found: "sha256:\u202e",
    });
    registry.generation += 1;
    const { text } = await fetchPage(memorySite(registry), "/damage");
    expect(text).toContain("1 of 2 images cannot be pulled whole");
    expect(text).toContain('<rect class="b-bad" x="40.00%" width="40.00%" height="14"/>');
    expect(text).toContain('<rect class="b-ok" x="0.00%" width="100.00%" height="14"/>');
    expect(text).toContain("layer 2 is damaged");
    expect(text).toContain("&lt;b&gt;.tar");
    expect(text).toContain("imgpack push bundle.tar --registry registry.lan:5000");
    expect((await fetchPage(memorySite(registry), URL)).text).toContain("This image cannot be pulled whole");
  });
});
