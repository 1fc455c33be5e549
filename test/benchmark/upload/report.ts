import { median, pairedRatios, spread } from '../measure/statistics.js';
import { GOALS, type Goal } from './goals.js';
import type { Measured } from './measure-work.js';
import { SERVERS, isServerKind, type ServerKind } from './servers.js';

const MIB = 1024 * 1024;

/** By work and server: a measure for each round, or the status that the server answered instead. */
export type Results = ReadonlyMap<string, ReadonlyMap<ServerKind, readonly Measured[] | number>>;

type OfWork = NonNullable<ReturnType<Results['get']>>;

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function measures(results: OfWork, kind: string): readonly Measured[] | undefined {
  const found = isServerKind(kind) ? results.get(kind) : undefined;
  return typeof found === 'number' ? undefined : found;
}

function cpuRatios(results: OfWork, kind: string, against: string): number[] | undefined {
  const [own, other] = [measures(results, kind), measures(results, against)];
  if (own === undefined || other === undefined) return undefined;
  return pairedRatios(
    own.map(({ cpu }) => cpu),
    other.map(({ cpu }) => cpu),
  );
}

const peaks = (measured: readonly Measured[]): number[] => measured.map(({ peakOverIdle }) => peakOverIdle / MIB);

/** A ratio is judged by its median, a peak by the largest: a bound on memory holds always or is none. */
function goalRow(goal: Goal, results: OfWork): string {
  const own = measures(results, goal.server);
  const values = goal.of === 'cpu' ? cpuRatios(results, goal.server, goal.against) : own && peaks(own);
  const reached = values && (goal.of === 'cpu' ? median(values) : Math.max(...values)) <= goal.most;
  return row(
    goal.work,
    SERVERS[goal.server].name,
    goal.of === 'cpu' ? `CPU to ${SERVERS[goal.against].name}` : 'peak memory over idle, MiB',
    `<= ${goal.most}`,
    values === undefined ? 'not measured' : spread(values, goal.of === 'cpu' ? 2 : 0),
    reached === true ? 'yes' : '**no**',
  );
}

/** The table: what was to be reached, and what was. */
export function goalTable(results: Results): string[] {
  const rows = GOALS.flatMap((goal) => {
    const measured = results.get(goal.work);
    return measured === undefined ? [] : [goalRow(goal, measured)];
  });
  return [
    row('work', 'server', 'measured', 'goal', 'median (least–most)', 'reached'),
    row(...Array.from({ length: 6 }, () => '---')),
    ...rows,
  ];
}

/** Every server's figures; the references are those of its platform: disk and memory on Express, parts and Nest's on Fastify. */
export function figureTable(results: Results): string[] {
  const rows = [...results].flatMap(([work, measured]) =>
    [...measured].map(([kind, runs]) => {
      const { name, references } = SERVERS[kind];
      if (typeof runs === 'number') return row(work, name, `answered ${runs}`, '', '', '', '');
      const ratios = references.map((reference) => {
        const values = cpuRatios(measured, kind, reference);
        return values === undefined ? '' : spread(values, 2);
      });
      const cpu = median(runs.map((run) => run.cpu)).toFixed(2);
      const seconds = median(runs.map((run) => run.seconds)).toFixed(2);
      return row(work, name, cpu, seconds, ...ratios, spread(peaks(runs), 0));
    }),
  );
  return [
    row('work', 'server', 'CPU s', 'elapsed s', 'CPU to disk', 'CPU to the second reference', 'peak over idle, MiB'),
    row(...Array.from({ length: 7 }, () => '---')),
    ...rows,
  ];
}
