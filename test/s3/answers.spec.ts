import { describeAnswers } from '../download/answers-on.js';
import { onS3 } from './on-s3.js';

await onS3('answers', (bucket) => {
  describeAnswers('S3', () => bucket.storage());
});
