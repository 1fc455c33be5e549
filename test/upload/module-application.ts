import type { INestApplication, Type } from '@nestjs/common';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { form, FORM_TYPE, type Part } from './form.js';
import { RawClient, type Answer } from './raw-client.js';
import { createApplication } from './upload-application.js';

/** An application of a test's own module, on the platform that is being tested, that listens on the loopback. */
export class ModuleApplication {
  private constructor(
    readonly app: INestApplication,
    readonly server: Server,
    readonly port: number,
  ) {}

  static async start(
    module: Type,
    prepare: (app: INestApplication) => unknown = () => undefined,
  ): Promise<ModuleApplication> {
    const app = await createApplication(module);
    try {
      await prepare(app);
      await app.listen(0, '127.0.0.1');
    } catch (error) {
      await app.close();
      throw error;
    }
    const server = app.getHttpServer() as Server;
    return new ModuleApplication(app, server, (server.address() as AddressInfo).port);
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.port);
  }

  /** Sends a form to a path, over a connection of its own. */
  post(path: string, ...parts: readonly Part[]): Promise<Answer> {
    return this.send(path, form(...parts));
  }

  async send(path: string, body: Buffer | string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const client = await this.connect();
    try {
      client.post(body, { 'Content-Type': FORM_TYPE, ...headers }, path);
      return await client.answer();
    } finally {
      client.destroy();
    }
  }

  /** Resolves when the server has closed its side of every connection. */
  async untilNoConnection(): Promise<void> {
    for (;;) {
      const count = await new Promise<number>((resolve, reject) => {
        this.server.getConnections((error, open) => {
          if (error === null) resolve(open);
          else reject(error);
        });
      });
      if (count === 0) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  close(): Promise<void> {
    return this.app.close();
  }
}
