/** Parts of an address that let whoever has it in: a signature, a token, a password before the host. */
const SECRETS: readonly (readonly [pattern: RegExp, shown: string])[] = [
  [
    /([?&](?:[\w-]*signature|x-amz-(?:credential|security-token)|sig|token|key|secret|password)=)[^&\s"'<>]+/gi,
    '$1(secret)',
  ],
  [/(\/\/[^\s/:@"']*:)[^\s/@"']+@/g, '$1(secret)@'],
  [/(\b(?:authorization|cookie|x-amz-security-token)["']?\s*[:=]\s*["']?)[^\r\n"']+/gi, '$1(secret)'],
];

/** Text of other programs, as the messages of their errors are, without what must stand in no log. */
export function withoutSecrets(text: string): string {
  return SECRETS.reduce((shown, [pattern, instead]) => shown.replace(pattern, instead), text);
}
