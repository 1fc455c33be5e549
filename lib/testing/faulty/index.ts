export * from './faulty-storage.js';
export type { FaultError, FaultPlan } from './fault-plan.js';
export type * from './fault.js';
export type { Gate } from './gate.js';
