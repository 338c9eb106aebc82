// Runs the commands of one page, in its order, in a folder of its own.
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { copy } from "fs-extra/esm";
import { type RunningRegistry, serve } from "../../../src/index.ts";
import { commandLines } from "../../support/docs/page-blocks.ts";
import { run } from "../peers/run.ts";
import { type Served, startServer } from "../peers/served.ts";
import { createTempFolder, type TempFolder } from "../peers/temp-folder.ts";
import type { Site } from "./site.ts";

/** Folders of a whole machine: they are below the folder of the page. */
const SYSTEM_FOLDER = /(?<=^|[\s"'=:(])\/(?=(?:etc|media|srv|opt|var\/lib|usr\/local)\/)/gm;

/** Folders of programs that pages copy files to. */
const SYSTEM = [
  "usr/local/share/ca-certificates",
  "etc/rancher/k3s",
  "etc/containerd/certs.d",
  "home/.config/fish/completions",
  "media/a",
  "media/b",
  "var/lib/rancher/k3s/agent/images",
];

export interface Ran {
  readonly code: number;
  /** stdout and stderr, as a person sees them. */
  readonly output: string;
  /** Commands that could not run here, with the reason. */
  readonly skipped: readonly string[];
}

export class PageRun {
  readonly #site: Site;
  readonly #folder: TempFolder;
  /** Addresses of the page, by those that its servers got. */
  readonly #addresses = new Map<string, string>();
  #served: Served | undefined;
  #inside: RunningRegistry | undefined;

  private constructor(site: Site, folder: TempFolder) {
    this.#site = site;
    this.#folder = folder;
  }

  /** With the files of the site's desk, the certificate of an authority as ca.crt, and a registry inside that has nothing. */
  static async start(site: Site): Promise<PageRun> {
    const page = new PageRun(site, await createTempFolder());
    page.#inside = await serve({ store: page.#path("inside") });
    site.setInside(page.#inside.url);
    await copy(site.desk, page.#folder.path);
    for (const name of ["home/run", "media/usb", "usr/local/bin", ...SYSTEM])
      await mkdir(page.#path(name), { recursive: true });
    for (const name of ["ca.crt", "etc/ssl/site-ca.crt"]) {
      await mkdir(dirname(page.#path(name)), { recursive: true });
      await copyFile(site.privateCa, page.#path(name));
    }
    return page;
  }

  #path(name: string): string {
    return join(this.#folder.path, name);
  }

  #local(text: string): string {
    return text
      .replaceAll(SYSTEM_FOLDER, `${this.#folder.path}/`)
      .replaceAll(/\b(?:127\.0\.0\.1|localhost|0\.0\.0\.0):\d+/g, address => this.#addresses.get(address) ?? address)
      .replaceAll(/\bproxy\.lan:\d+/g, new URL(this.#site.hosts.url).host);
  }

  async writeFile(name: string, text: string): Promise<void> {
    await mkdir(dirname(this.#path(name)), { recursive: true });
    await writeFile(this.#path(name), this.#local(text));
  }

  /**
   * @param env in addition to that of the site, such as the variables of a CI system
   * @param notRun why not, by a part of the line
   */
  async runScript(
    text: string,
    env: Readonly<Record<string, string>> = {},
    notRun: ReadonlyMap<string, string> = new Map(),
  ): Promise<Ran> {
    const lines: string[] = [];
    const skipped: string[] = [];
    let [code, output] = [0, ""];
    await this.#site.restore();
    const flush = async (): Promise<void> => {
      if (lines.length === 0 || code !== 0) return;
      const script = `set -e; exec 2>&1\n${lines.splice(0).join("\n")}\n`;
      const options = { cwd: this.#folder.path, env: { ...this.#env(), ...env } };
      const result = await run("bash", ["-o", "pipefail", "-c", this.#local(script)], options);
      code = result.code;
      output += result.stdout;
    };
    for (const line of commandLines(text)) {
      const why = this.#reasonNotToRun(line, notRun);
      if (why !== undefined) skipped.push(`${line} (${why})`);
      else if (/^imgpack serve (?!.*--gc)/.test(line)) {
        await flush();
        await this.#serve(line);
      } else {
        // Only one process may have a store.
        if (line.includes(" --gc")) {
          await flush();
          await this.#stop();
        }
        lines.push(withExitCode(line));
      }
    }
    await flush();
    return { code, output: this.#asOnPage(output), skipped };
  }

  #reasonNotToRun(line: string, notRun: ReadonlyMap<string, string>): string | undefined {
    const [tool, missing] = [...this.#site.missing].find(([name]) => isCalled(name, line)) ?? [];
    if (tool !== undefined) return `${tool}: ${missing}`;
    if (/\bv1(?::\/\/|\+dir:)/.test(line)) return "no registry of the v1 protocol; test/integration/v1.test.ts has one";
    if (/ [^'"]*@sha256:…/.test(line)) return "the digest is left out";
    return [...notRun].find(([part]) => line.includes(part))?.[1];
  }

  #env(): Readonly<Record<string, string>> {
    return {
      ...this.#site.env,
      HOME: this.#path("home"),
      DOCKER_CONFIG: this.#path("home/.docker"),
      XDG_CONFIG_HOME: this.#path("home/.config"),
      XDG_RUNTIME_DIR: this.#path("home/run"),
      IMGPACK_CACHE_DIR: this.#path("home/.cache/imgpack"),
    };
  }

  async #serve(line: string): Promise<void> {
    await this.#stop();
    const [, address = "127.0.0.1:5000"] = /--listen (\S+)/.exec(line) ?? [];
    const free = `${line.replace(/ --listen \S+/, "")} --listen 127.0.0.1:0 --log none`.replace(/ &(?= )/, "");
    const options = { cwd: this.#folder.path, env: this.#env() };
    this.#served = await startServer("sh", ["-c", `exec ${this.#local(free)}`], options);
    const [, port = ""] = address.split(/:(?=\d+$)/);
    for (const name of ["127.0.0.1", "localhost"]) this.#addresses.set(`${name}:${port}`, this.#served.host);
  }

  #asOnPage(output: string): string {
    const shown = output.replaceAll(`${this.#folder.path}/`, "");
    return [...this.#addresses].reduce((text, [address, local]) => text.replaceAll(local, address), shown);
  }

  async #stop(): Promise<void> {
    await this.#served?.end();
    this.#served = undefined;
  }

  async close(): Promise<void> {
    await this.#stop();
    await this.#inside?.close();
    await this.#folder.remove();
  }
}

/** A comment at the end, such as `# exit code 5`, says that the line fails. */
function withExitCode(line: string): string {
  const [, code] = /#.*\bexit code (\d+)/.exec(line) ?? [];
  return code === undefined ? line : `code=0; { ${line}\n} || code=$?; [ "$code" = ${code} ]`;
}

/** Whether a line of a shell calls a program, or imgpack with the program as its engine. */
export function isCalled(program: string, line: string): boolean {
  const scheme = program === "ctr" ? "containerd" : program;
  if (line.startsWith("imgpack ") && line.includes(` ${scheme}://`)) return true;
  return new RegExp(`(?:^|[|;&(]|\\b(?:sudo|exec|then|do)) *(?:[A-Z_]+=\\S* )*${program}(?= |$)`).test(line);
}
