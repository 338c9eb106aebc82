/** A program on this machine that keeps images, and runs them. */
export type EngineKind = "docker" | "podman" | "containerd";

/** `docker://app:1` */
export interface EngineName {
  readonly engine: EngineKind;
  /** As the user typed it; "" for the engine itself. */
  readonly image: string;
}

const FORM = /^(docker|podman|containerd):\/\/(.*)$/s;

/** @returns undefined for a text that does not begin with the scheme of an engine. */
export function readEngineName(text: string): EngineName | undefined {
  const [, engine, image = ""] = FORM.exec(text) ?? [];
  return engine === undefined ? undefined : { engine: engine as EngineKind, image };
}

/** Whether a text names an image of an engine, or an engine, and so no file. */
export function isEngineName(text: string): boolean {
  return FORM.test(text);
}
