import { Agent } from 'node:http';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, expect, it } from '@jest/globals';
import { tearClients } from '../download/torn-clients-on.js';
import { onS3 } from './on-s3.js';

await onS3('200 clients that are torn off in the middle', (bucket) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  afterAll(() => {
    agent.destroy();
  });

  it('leave no request to the server open after a second', async () => {
    const client = new S3Client({ ...bucket.server.connection, requestHandler: { httpAgent: agent } });
    const inUse = (): number => Object.values(agent.sockets).reduce((sum, sockets) => sum + (sockets?.length ?? 0), 0);
    let most = 0;
    await tearClients(bucket.storage({ client }), 200, () => {
      most = Math.max(most, inUse());
      return inUse();
    });
    expect(most).toBeGreaterThan(0);
  });
});
