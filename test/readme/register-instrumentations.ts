// #region register
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { StorageInstrumentation } from 'nestjs-storages/opentelemetry';

export function instrument(): () => void {
  return registerInstrumentations({ instrumentations: [new StorageInstrumentation({ reads: true })] });
}
// #endregion register
