import { type RequestHandler, Router } from 'express';

/** Asks one server whether it serves; rejects when it does not. */
export type Probe = () => Promise<void>;
export type Probes = { mongodb: Probe; temporal: Probe };

/** Milliseconds. Shorter than whoever probes this waits, as a rule 2 s: he is to hear which server does not answer. */
const patience = 1_000;

/**
 * `/healthz`: this process answers. `/readyz`: it can take requests. Without MongoDB it cannot (503). Without Temporal it
 * can, for an operation is a document first and is started when Temporal is back: 200, with status `degraded`.
 */
export function healthRoutes(probes: Probes, isDraining: () => boolean): Router {
  const alive: RequestHandler = (request, response) => {
    request.template = '/healthz';
    response.json({ status: 'ok' });
  };
  const ready: RequestHandler = async (request, response) => {
    request.template = '/readyz';
    const [mongodb, temporal] = await Promise.all([outcomeOf(probes.mongodb), outcomeOf(probes.temporal)]);
    const draining = isDraining();
    const serving = mongodb === 'ok' && !draining;
    const status = draining ? 'draining' : !serving ? 'unavailable' : temporal === 'ok' ? 'ok' : 'degraded';
    response
      .status(serving ? 200 : 503)
      .json({ status, mongodb, temporal, ...(status === 'ok' ? {} : { detail: details[status] }) });
  };
  return Router().get('/healthz', alive).get('/readyz', ready);
}

const details = {
  draining: 'This process is shutting down.',
  unavailable: 'MongoDB cannot be written to: requests are refused until it answers.',
  degraded: 'Temporal does not answer: requests are accepted, and their operations begin when it is back.',
};

/** A probe that hangs counts as one that failed. */
async function outcomeOf(probe: Probe): Promise<'ok' | 'missing'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'missing'>((resolve) => {
    timer = setTimeout(resolve, patience, 'missing');
  });
  const asked = probe().then(
    () => 'ok' as const,
    () => 'missing' as const,
  );
  const outcome = await Promise.race([asked, late]);
  clearTimeout(timer);
  return outcome;
}
