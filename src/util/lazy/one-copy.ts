/** It has no properties. */
const nothing: object = Object.create(null) as object;

/**
 * Has equal texts share memory: a digest is in a lock, in manifests, in names of entries, and each time it is read it is another
 * string. V8 has one string for all properties of a name, as long as any of them is in use, and text that it looks for as a name becomes
 * that string. Other engines lose nothing but the time, which is less than a microsecond.
 *
 * @returns the text.
 */
export function oneCopy<Text extends string>(text: Text): Text {
  void (text in nothing);
  return text;
}
