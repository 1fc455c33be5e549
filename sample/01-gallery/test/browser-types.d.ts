// Playwright's types speak of these browser types. The whole DOM library is left out on purpose: with it the browser's `Storage`,
// `File` and `Event` would be in scope everywhere, and a forgotten import would compile in silence.
interface Node {
  readonly nodeType: number;
}
interface HTMLElement extends Node {
  readonly tagName: string;
}
interface SVGElement extends Node {
  readonly tagName: string;
}
type HTMLElementTagNameMap = Record<string, HTMLElement>;
