import { DevicesCard, ExitsCard, PatrolCard } from "./overview/feet";
import { NowCard } from "./overview/now";
import { Plan } from "./overview/plan";
import { PowerCard } from "./overview/power";
import { RatingsCard } from "./overview/ratings";

/** 总览: the hall at a glance. */
export function Overview() {
  return (
    <div class="overview">
      <div class="overview-main">
        <Plan />
        <PowerCard />
        <div class="feet">
          <ExitsCard />
          <PatrolCard />
          <DevicesCard />
        </div>
      </div>
      <div class="overview-side">
        <NowCard />
        <RatingsCard />
      </div>
    </div>
  );
}
