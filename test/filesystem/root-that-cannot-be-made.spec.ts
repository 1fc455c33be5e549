import { expect, it } from '@jest/globals';
import { FileSystemStorage } from 'nestjs-storages';

it('refuses a root below a file system in which no folder can be made, instead of trying for ever', async () => {
  const storage = new FileSystemStorage({ root: '/proc/nothing/here' });
  await expect(storage.put('a', 'a')).rejects.toMatchObject({ name: expect.stringMatching(/Error$/) as unknown });
  await storage.close();
});
