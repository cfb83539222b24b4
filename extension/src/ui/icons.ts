import { LabIcon } from '@jupyterlab/ui-components';

import branchSvg from '../../style/icons/branch.svg';
import jobSvg from '../../style/icons/job.svg';
import pinSvg from '../../style/icons/pin.svg';
import workbenchSvg from '../../style/icons/workbench.svg';

export const branchIcon = new LabIcon({
  name: 'jupyter-workbench:branch',
  svgstr: branchSvg
});

export const pinIcon = new LabIcon({
  name: 'jupyter-workbench:pin',
  svgstr: pinSvg
});

export const jobIcon = new LabIcon({
  name: 'jupyter-workbench:job',
  svgstr: jobSvg
});

export const workbenchIcon = new LabIcon({
  name: 'jupyter-workbench:workbench',
  svgstr: workbenchSvg
});
