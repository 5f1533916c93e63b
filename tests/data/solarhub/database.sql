CREATE TABLE systems (system_id TEXT PRIMARY KEY, name TEXT, description TEXT, timezone TEXT, created_at TEXT);
CREATE TABLE arrays (array_id TEXT PRIMARY KEY, name TEXT, system_id TEXT);
CREATE TABLE inverters (inverter_id TEXT PRIMARY KEY, array_id TEXT, system_id TEXT, adapter_id TEXT, name TEXT, model TEXT, serial_number TEXT, vendor TEXT, phase_type TEXT);
CREATE TABLE battery_arrays (battery_array_id TEXT PRIMARY KEY, system_id TEXT, name TEXT);
CREATE TABLE battery_array_attachments (battery_array_id TEXT, inverter_array_id TEXT, attached_since TEXT, detached_at TEXT, PRIMARY KEY (battery_array_id, attached_since));
CREATE TABLE battery_packs (pack_id TEXT PRIMARY KEY, name TEXT, chemistry TEXT, nominal_kwh REAL, max_charge_kw REAL, max_discharge_kw REAL, battery_array_id TEXT, system_id TEXT);
CREATE TABLE batteries (battery_id TEXT PRIMARY KEY, pack_id TEXT, battery_array_id TEXT, system_id TEXT, battery_index INTEGER, serial_number TEXT, model TEXT, UNIQUE (pack_id, battery_index));
CREATE TABLE adapter_base (adapter_type TEXT PRIMARY KEY, device_category TEXT, name TEXT, config_schema TEXT);
CREATE TABLE adapters (adapter_id TEXT PRIMARY KEY, adapter_type TEXT, device_category TEXT, name TEXT, config_json TEXT, device_id TEXT, device_type TEXT, priority INTEGER DEFAULT 1, enabled INTEGER DEFAULT 1);
CREATE TABLE battery_pack_adapters (pack_id TEXT, adapter_id TEXT, priority INTEGER DEFAULT 1, enabled INTEGER DEFAULT 1, PRIMARY KEY (pack_id, adapter_id));
CREATE TABLE meters (meter_id TEXT PRIMARY KEY, system_id TEXT, array_id TEXT, adapter_id TEXT, name TEXT, model TEXT, type TEXT, attachment_target TEXT);

INSERT INTO systems (system_id, name, timezone) VALUES ('farm', 'The Farm', 'Europe/Brussels');
INSERT INTO arrays VALUES ('roof', 'Roof', 'farm'), ('barn', 'Barn', 'farm');
INSERT INTO battery_arrays VALUES ('east-array', 'farm', 'East'), ('west-array', 'farm', 'West');
INSERT INTO battery_array_attachments VALUES
  ('east-array', 'barn', '2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z'),
  ('east-array', 'roof', '2025-01-01T00:00:00Z', NULL),
  ('west-array', 'roof', '2024-01-01T00:00:00Z', NULL),
  ('west-array', 'barn', '2025-01-01T00:00:00Z', NULL);
INSERT INTO battery_packs VALUES
  ('east', 'East Pack', 'LFP', 14.5, 5, 7, 'east-array', 'farm'),
  ('west', 'West Pack', 'LFP', 29, 10, 14, 'west-array', 'farm');
INSERT INTO batteries (battery_id, pack_id, battery_array_id, system_id, battery_index, serial_number, model) VALUES
  ('east-b', 'east', 'east-array', 'farm', 2, 'SN-2', 'PB2A16S20P'),
  ('east-a', 'east', 'east-array', 'farm', 1, 'SN-1', NULL);
INSERT INTO adapter_base (adapter_type, device_category, name) VALUES ('jkbms_tcpip', 'battery', 'JK BMS');
INSERT INTO adapters (adapter_id, adapter_type, device_category, config_json, device_id, device_type, priority, enabled) VALUES
  ('gw-1', 'jkbms_tcpip', 'battery', '{"host": "192.0.2.60", "port": 8899, "batteries": 2}', 'east', 'battery_pack', 1, 1),
  ('radio', 'jkbms_ble', 'battery', '{"bt_addresses": ["C8:47:80:00:00:01", "C8:47:80:00:00:02"], "bt_pin": "424242"}', 'east', 'battery_pack', 2, 0),
  ('gw-2', 'jkbms_tcpip', 'battery', '{"host": "192.0.2.61", "port": 8899}', 'west', 'battery_pack', 1, 0),
  ('usb', 'jkbms_tcpip', 'battery', '{"connection_type": "rtu", "serial_port": "/dev/ttyUSB0"}', 'west', 'battery_pack', 3, 1),
  ('stray', 'jkbms_tcpip', 'battery', '{"host": "192.0.2.62", "port": 8899}', 'east', 'battery_pack', 4, 1),
  ('metered', 'jkbms_tcpip', 'battery', '{"host": "192.0.2.63", "port": 8899}', 'west', 'meter', 5, 1),
  ('idle', 'jkbms_tcpip', 'battery', '{"host": "192.0.2.64", "port": 8899}', 'west', 'battery_pack', 6, 1),
  ('inv-adapter', 'powdrive', 'inverter', '{"host": "192.0.2.9", "password": "inverter-word"}', 'inv-1', 'inverter', 1, 1),
  ('meter-adapter', 'iammeter', 'meter', '{"host": "192.0.2.23"}', 'grid', 'meter', 1, 1);
INSERT INTO battery_pack_adapters (pack_id, adapter_id, priority, enabled) VALUES
  ('east', 'gw-1', 1, 1), ('east', 'radio', 2, 0),
  ('west', 'gw-2', 2, 1), ('west', 'usb', 3, 1), ('west', 'stray', 4, 1), ('west', 'metered', 5, 1),
  ('west', 'gone', 6, 1);
INSERT INTO inverters (inverter_id, array_id, system_id, adapter_id, name) VALUES ('inv-1', 'roof', 'farm', 'inv-adapter', 'Inverter');
INSERT INTO meters (meter_id, system_id, array_id, adapter_id, name) VALUES ('grid', 'farm', NULL, 'meter-adapter', 'Grid');
