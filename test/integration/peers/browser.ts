import axe from "axe-core";
import {
  type Browser,
  type BrowserContext,
  type ConsoleMessage,
  chromium,
  type Page,
  type Request,
} from "playwright-core";
import { findTool } from "./run.ts";

/** What a page did besides showing itself. */
export interface Seen {
  readonly messages: readonly string[];
  /** Requests besides that for the page. */
  readonly requests: readonly string[];
}

/** Chromium of the system: nothing is downloaded. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: findTool("chromium") ?? "chromium",
    // As root, as in a container, its own sandbox does not start.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
}

/** A tab that notes what a page does; all pages of a test are shown in it, one after the other. */
export class Tab {
  readonly page: Page;
  #messages: string[] = [];
  #requests: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("console", (message: ConsoleMessage) => this.#messages.push(message.text()));
    page.on("pageerror", error => this.#messages.push(String(error)));
    page.on("dialog", dialog => {
      this.#messages.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request: Request) => this.#requests.push(request.url()));
  }

  static async open(context: BrowserContext): Promise<Tab> {
    return new Tab(await context.newPage());
  }

  /** @returns status, and what the page did until it was whole. */
  async go(url: string): Promise<Seen & { readonly status: number }> {
    this.#messages = [];
    this.#requests = [];
    const response = await this.page.goto(url, { waitUntil: "load" });
    return { status: response?.status() ?? 0, ...this.seen() };
  }

  seen(): Seen {
    return { messages: [...this.#messages], requests: this.#requests.slice(1) };
  }

  /** Rules that the page breaks, each with the first element that does. @param rules default: all that it can break. */
  async violations(rules?: readonly string[]): Promise<readonly string[]> {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const runOnly = rules === undefined ? tags : { type: "rule", values: rules };
    const options = { runOnly, resultTypes: ["violations"], preload: false };
    // Through the debugger, so that the policy of the page stays as it is. Once a page: it is a megabyte.
    if (!(await this.page.evaluate("'axe' in window"))) await this.page.evaluate(axe.source);
    const found: readonly AxeViolation[] = await this.page.evaluate(
      `axe.run(${JSON.stringify(options)}).then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) })))`,
    );
    return found.map(({ id, nodes }) => `${id}: ${nodes.length} × ${nodes[0]?.slice(0, 200)}`);
  }

  async count(selector: string): Promise<number> {
    return await this.page.evaluate(`document.querySelectorAll(${JSON.stringify(selector)}).length`);
  }

  /** Controls of the page in its order, and those that the tab key reaches, in that order. */
  async tabStops(): Promise<{ readonly controls: readonly string[]; readonly stops: readonly string[] }> {
    const selector = "a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']";
    const controls: readonly string[] = await this.page.evaluate(`
      [...document.querySelectorAll(${JSON.stringify(selector)})]
        .filter(each => each.checkVisibility())
        .map((each, index) => each.dataset.stop = index + " " + each.tagName + " " + each.textContent.slice(0, 40));
    `);
    const stops: string[] = [];
    for (let count = 0; count <= controls.length; count += 1) {
      await this.page.keyboard.press("Tab");
      const stop: string | undefined = await this.page.evaluate("document.activeElement.dataset.stop");
      if (stop === undefined) break;
      stops.push(stop);
    }
    return { controls, stops };
  }

  /** How many pixels the page is wider than the window. */
  async overflow(): Promise<number> {
    return await this.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  }
}

interface AxeViolation {
  readonly id: string;
  /** HTML of each element. */
  readonly nodes: readonly string[];
}
