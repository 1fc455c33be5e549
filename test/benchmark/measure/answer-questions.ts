import type { INestApplication } from '@nestjs/common';
import { QUESTIONS, UsageCounter, type Question, type Usage } from './usage.js';

/** A server under measurement: it listens, tells its port, and then answers the bench's questions. */
export async function answerQuestions(app: INestApplication): Promise<void> {
  await app.listen(0, '127.0.0.1');

  const counter = new UsageCounter();
  const answers: Record<Question, () => Usage | object> = {
    idle: () => {
      counter.idle();
      return {};
    },
    begin: () => {
      counter.begin();
      return {};
    },
    end: () => counter.end(),
    stop: () => {
      void app.close().then(() => process.exit(0));
      return {};
    },
  };

  process.on('message', (message) => {
    const question = QUESTIONS.find((each) => each === message);
    if (question === undefined) throw new Error('The bench asked something unknown.');
    process.send?.(answers[question]());
  });
  process.send?.({ port: Number(new URL(await app.getUrl()).port) });
}
