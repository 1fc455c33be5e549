/** A form with files in the field `files`, by name. */
export function formOf(files: Readonly<Record<string, string | Uint8Array>>): FormData {
  const form = new FormData();
  for (const [name, data] of Object.entries(files)) {
    form.append('files', new Blob([data], { type: 'text/plain' }), name);
  }
  return form;
}
