/**
 * How stored values are written on the screen.
 */
import { Time } from '@jupyterlab/coreutils';

import { Metric } from '../api/types';

const NUMBER = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4 });

/** Round to four digits. Where it is used, the title holds the number as it was stored. */
export function round(value: Metric): string {
  return typeof value === 'number' ? NUMBER.format(value) : value;
}

/** Say how long ago an ISO time was: `5 min. ago`. */
export function ago(time: string): string {
  return Time.formatHuman(time, 'short');
}

/** Write an ISO time in full, in the user's zone. */
export function moment(time: string): string {
  return new Date(time).toLocaleString();
}
