-- Active alerts, worst first: the page's first hundred out of ten thousand without a sort.
CREATE INDEX alert_gravity ON alert (
  (CASE severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 2 WHEN 'notice' THEN 4 ELSE 6 END
   + (state NOT IN ('unacknowledged', 'returned'))) * 100000000000000 + opened,
  id
) WHERE state <> 'normal';
