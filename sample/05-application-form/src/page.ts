import { readFileSync } from 'node:fs';
import type { HttpServer } from '@nestjs/common';
import type { Receipt } from './receipt.js';
import type { Refusal } from './refusal.filter.js';

/** As much of a request as Express and Fastify have in common here. */
export interface FormRequest {
  readonly headers: { readonly accept?: string };
}

export const readPageFile = (name: string): string =>
  readFileSync(new URL(`../public/${name}`, import.meta.url), 'utf8');

const PAGE = readPageFile('index.html');
const BYTES = new Intl.NumberFormat('en', { style: 'unit', unit: 'byte', unitDisplay: 'long' });

/** The page needs nothing but its own files, so it may load nothing else; a name that is a script stays a name. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

export const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': PAGE_POLICY,
  'X-Content-Type-Options': 'nosniff',
};

/** A form that is sent without the page's script is a navigation, which asks for HTML; the script asks for JSON. */
export const wantsPage = ({ headers }: FormRequest): boolean => headers.accept?.includes('text/html') ?? false;

export function setPageHeaders(adapter: HttpServer, response: unknown): void {
  for (const [name, value] of Object.entries(PAGE_HEADERS)) adapter.setHeader(response, name, value);
}

export function receiptPage({ name, city, languages, files }: Receipt): string {
  const rows = files.map(
    (file) => html`<li><b>${file.name}</b> <span>${BYTES.format(file.size)}</span> <code>${file.sha256}</code></li>`,
  );
  return answered(
    'good',
    html`<h2>Thank you, ${name}!</h2>
      <p>${city} · ${languages.join(', ')}</p>` + `<ul>${rows.join('')}</ul><p><a href="/">Another application</a></p>`,
  );
}

export function refusalPage({ title, message, code }: Refusal): string {
  return answered(
    'bad',
    html`<h2>${title}</h2>
      <p>${message} <code>${code}</code></p>
      <p>Nothing was stored.</p>` + ' Go back in your browser: what you entered is still there.</p>',
  );
}

/** The page with the answer in place of the form: a browser without scripts has no other way to show one. */
function answered(kind: 'good' | 'bad', content: string): string {
  return PAGE.replace('<body>', '<body class="answered">').replace(
    /<section id="answer"[^>]*>/,
    // a function: `$&` in a name is no pattern
    () => `<section id="answer" class="answer ${kind}">${content}`,
  );
}

/** Makes strangers' words harmless in HTML. */
function html(text: TemplateStringsArray, ...values: readonly string[]): string {
  const escaped = values.map((value) => value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`));
  return String.raw({ raw: text }, ...escaped);
}
