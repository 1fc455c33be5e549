/** The body that a token stands for: its own text, over and over. Its size stands behind the colon. */
export function bodyOf(token: string): Buffer {
  const size = Number(token.slice(token.indexOf(':') + 1));
  return Buffer.alloc(size, token);
}
