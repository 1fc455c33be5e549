import { expect } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Ajv } from 'ajv';
import type { SwaggerApplication } from './swagger-application.js';

type Method = 'get' | 'post' | 'put';
type Operation = NonNullable<OpenAPIObject['paths'][string][Method]>;

export function operationOf(document: OpenAPIObject, method: Method, path: string): Operation {
  const operation = document.paths[path]?.[method];
  if (operation === undefined) throw new Error(`The document has no ${method} ${path}.`);
  return operation;
}

interface Asked extends RequestInit {
  /** Where `path` of the document has parameters. */
  readonly path?: string;
}

/** Sends a request, and holds its answer to what the document says of it. Resolves to its status. */
export type Described = (method: Method, path: string, asked?: Asked) => Promise<number>;

export function describedAnswers({ document, url }: SwaggerApplication): Described {
  return async (method, path, { path: concrete = path, ...init } = {}) => {
    const { parameters = [], responses } = operationOf(document, method, path);
    const known = parameters.map((each) => ('name' in each ? each.name : '')).concat('Content-Type');
    for (const name of Object.keys(init.headers ?? {})) expect(known).toContain(name);

    const answer = await fetch(url + concrete, { method: method.toUpperCase(), ...init });
    const bytes = await answer.arrayBuffer();
    const described = responses[answer.status];
    if (described === undefined || '$ref' in described) {
      throw new Error(`${method} ${path} answered ${answer.status}, of which the document says nothing.`);
    }
    for (const name of Object.keys(described.headers ?? {})) {
      expect([name, answer.headers.get(name)]).toEqual([name, expect.any(String)]);
    }
    const type = answer.headers.get('content-type')?.split(';', 1)[0] ?? '';
    if (described.content === undefined) {
      expect(bytes.byteLength).toBe(0);
    } else if (type === 'application/json') {
      const schema = described.content[type]?.schema;
      expect(schema).toBeDefined();
      const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
      const validate = ajv.compile({ ...schema, components: document.components });
      validate(JSON.parse(new TextDecoder().decode(bytes)));
      expect(validate.errors ?? []).toEqual([]);
    } else {
      expect([type, '*/*'].some((each) => described.content?.[each] !== undefined)).toBe(true);
    }
    return answer.status;
  };
}
