import { InternalError } from "../../../errors.ts";
import { Html } from "../html/html.ts";

/** @param css our own text, never of an image: it is not escaped, so that its hash is that of the policy. */
export function styleElement(css: string): Html {
  if (/<\//.test(css))
    throw new InternalError("Cannot write a style element: found an end tag in it, expected a stylesheet");
  return Html.ofTrusted(`<style>${css}</style>`);
}
