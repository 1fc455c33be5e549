import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';

/** Reads files as fast as it can, and throws them away. */
export class DownloadClient {
  readonly #agent = new Agent({ keepAlive: true });

  constructor(private readonly port: number) {}

  /** @throws unless each answer is a 200 of so many bytes */
  async read(name: string, size: number, requests: number, atOnce: number): Promise<void> {
    let left = requests;
    const one = async (): Promise<void> => {
      while (left-- > 0) await this.#one(name, size);
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, requests) }, one));
  }

  /** Connections that have asked for a file, got its beginning, and read no further. */
  async readSlowly(name: string, connections: number): Promise<Socket[]> {
    return Promise.all(
      Array.from({ length: connections }, async () => {
        const socket = connect(this.port, '127.0.0.1');
        socket.write(`GET /${name} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
        await once(socket, 'readable');
        return socket;
      }),
    );
  }

  close(): void {
    this.#agent.destroy();
  }

  #one(name: string, size: number): Promise<void> {
    return new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port: this.port, path: `/${name}`, agent: this.#agent }, (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => (bytes += chunk.length));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200 && bytes === size) resolve();
          else reject(new Error(`Answered ${String(response.statusCode)} with ${bytes} bytes.`));
        });
      }).on('error', reject);
    });
  }
}
