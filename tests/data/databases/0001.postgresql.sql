--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: adapters; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.adapters (
    device_id text NOT NULL,
    id text NOT NULL,
    driver text,
    url text,
    username text,
    password text,
    options text NOT NULL
);


--
-- Name: array_attachments; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.array_attachments (
    array_id text NOT NULL,
    attached_since bigint NOT NULL,
    attached_to text NOT NULL,
    detached_at bigint,
    CONSTRAINT ck_array_attachments_in_order CHECK (((detached_at IS NULL) OR (detached_at >= attached_since)))
);


--
-- Name: arrays; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.arrays (
    id text NOT NULL,
    "position" integer NOT NULL,
    name text,
    others text NOT NULL
);


--
-- Name: batteries; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.batteries (
    device_id text NOT NULL,
    address integer NOT NULL,
    "position" integer NOT NULL,
    name text NOT NULL,
    CONSTRAINT ck_batteries_address CHECK ((address >= 0))
);


--
-- Name: capabilities; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.capabilities (
    device_id text NOT NULL,
    path text NOT NULL,
    "position" integer NOT NULL,
    unit text,
    options text NOT NULL
);


--
-- Name: cells; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.cells (
    device_id text NOT NULL,
    address integer NOT NULL,
    number integer NOT NULL,
    first_seen bigint NOT NULL,
    CONSTRAINT ck_cells_address CHECK ((address >= 0)),
    CONSTRAINT ck_cells_number CHECK ((number >= 1))
);


--
-- Name: controllers; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.controllers (
    id text NOT NULL,
    "position" integer NOT NULL,
    kind text,
    options text NOT NULL
);


--
-- Name: device_adapters; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.device_adapters (
    device_id text NOT NULL,
    adapter_id text NOT NULL,
    "position" integer NOT NULL,
    priority integer,
    enabled boolean,
    standby text,
    CONSTRAINT ck_device_adapters_enabled CHECK ((enabled = ANY (ARRAY[true, false]))),
    CONSTRAINT ck_device_adapters_standby CHECK ((standby = ANY (ARRAY['cold'::text, 'hot'::text])))
);


--
-- Name: devices; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.devices (
    id text NOT NULL,
    "position" integer NOT NULL,
    name text,
    options text,
    others text NOT NULL
);


--
-- Name: outputs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.outputs (
    device_id text NOT NULL,
    id text NOT NULL,
    "position" integer NOT NULL,
    kind text,
    name text,
    options text NOT NULL
);


--
-- Name: packs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.packs (
    device_id text NOT NULL,
    array_id text,
    "position" integer
);


--
-- Name: schema_version; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: site; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.site (
    key integer NOT NULL,
    id text,
    name text,
    timezone text,
    temperature_unit text,
    head text,
    others text NOT NULL,
    revision bigint NOT NULL,
    saved_at bigint NOT NULL,
    CONSTRAINT ck_site_only_one CHECK ((key = 1)),
    CONSTRAINT ck_site_revision CHECK ((revision > 0))
);


--
-- Data for Name: adapters; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.adapters VALUES ('house', 'lan', 'ipcom', 'tcp://192.168.1.50:5000', '"me"', '{"env":"IPCOM_PASSWORD"}', '{}');
INSERT INTO public.adapters VALUES ('pack-1', 'gateway', 'jkbms', 'tcp://192.168.1.60:8899', NULL, NULL, '{}');
INSERT INTO public.adapters VALUES ('pack-1', 'usb', 'jkbms', 'serial:///dev/ttyUSB0?baudrate=115200', NULL, NULL, '{"polling":true}');
INSERT INTO public.adapters VALUES ('chamber', 'in', 'push', NULL, NULL, NULL, '{}');


--
-- Data for Name: array_attachments; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.array_attachments VALUES ('east', 1774744999999999, 'inverter-0', 1774745999999999);
INSERT INTO public.array_attachments VALUES ('east', 1774745999999999, 'inverter-1', NULL);
INSERT INTO public.array_attachments VALUES ('gone', 5, 'inverter-1', 6);


--
-- Data for Name: arrays; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.arrays VALUES ('east', 0, 'East', '{}');
INSERT INTO public.arrays VALUES ('west', 1, NULL, '{"packs":[]}');


--
-- Data for Name: batteries; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.batteries VALUES ('pack-1', 0, 0, 'front');
INSERT INTO public.batteries VALUES ('pack-1', 1, 1, 'back');


--
-- Data for Name: capabilities; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.capabilities VALUES ('chamber', 'temperature', 0, '°C', '{"deadline_s":240,"minimum":"74 \u00b0F","maximum":null}');
INSERT INTO public.capabilities VALUES ('chamber', '0/cells/1/voltage', 1, 'V', '{}');


--
-- Data for Name: cells; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.cells VALUES ('pack-1', 0, 1, 1774746000000000);
INSERT INTO public.cells VALUES ('pack-1', 0, 2, 1774746000000001);
INSERT INTO public.cells VALUES ('pack-1', 0, 32, 1774746000000031);
INSERT INTO public.cells VALUES ('pack-1', 7, 1, 1774746000000000);
INSERT INTO public.cells VALUES ('pack-1', 7, 2, 1774746000000001);
INSERT INTO public.cells VALUES ('pack-1', 7, 32, 1774746000000031);


--
-- Data for Name: controllers; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.controllers VALUES ('fermenter', 0, 'thermostat', '{"sensor":"chamber/temperature","low":18,"high":20.0}');


--
-- Data for Name: device_adapters; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.device_adapters VALUES ('house', 'lan', 0, NULL, false, NULL);
INSERT INTO public.device_adapters VALUES ('pack-1', 'gateway', 0, 1, NULL, NULL);
INSERT INTO public.device_adapters VALUES ('pack-1', 'usb', 1, 2, NULL, 'cold');
INSERT INTO public.device_adapters VALUES ('chamber', 'in', 0, NULL, NULL, NULL);


--
-- Data for Name: devices; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.devices VALUES ('house', 0, 'House controller', '{"bus":2,"base_address":60.0,"modules":{"#6":{"kind":"dimmer","scale":100}}}', '{}');
INSERT INTO public.devices VALUES ('pack-1', 1, NULL, '{"stale_after_s":30,"hold_s":60.0}', '{}');
INSERT INTO public.devices VALUES ('chamber', 2, NULL, NULL, '{"options":null}');


--
-- Data for Name: outputs; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.outputs VALUES ('house', 'salon', 0, 'dimmer', NULL, '{"module":6,"output":2}');
INSERT INTO public.outputs VALUES ('house', 'kitchen', 1, 'light', 'Kitchen', '{"module":1,"output":1}');
INSERT INTO public.outputs VALUES ('house', 'blind', 2, 'cover', NULL, '{"up":{"module":5,"output":8},"down":{"module":5,"output":7}}');


--
-- Data for Name: packs; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.packs VALUES ('pack-1', 'east', 0);


--
-- Data for Name: schema_version; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.schema_version VALUES ('0001');


--
-- Data for Name: site; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.site VALUES (1, 'home', 'Maison d''été', 'Europe/Brussels', 'celsius', '{}', '{}', 7, 1774745999999999);


--
-- Name: adapters pk_adapters; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.adapters
    ADD CONSTRAINT pk_adapters PRIMARY KEY (device_id, id);


--
-- Name: array_attachments pk_array_attachments; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.array_attachments
    ADD CONSTRAINT pk_array_attachments PRIMARY KEY (array_id, attached_since);


--
-- Name: arrays pk_arrays; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.arrays
    ADD CONSTRAINT pk_arrays PRIMARY KEY (id);


--
-- Name: batteries pk_batteries; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.batteries
    ADD CONSTRAINT pk_batteries PRIMARY KEY (device_id, address);


--
-- Name: capabilities pk_capabilities; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.capabilities
    ADD CONSTRAINT pk_capabilities PRIMARY KEY (device_id, path);


--
-- Name: cells pk_cells; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.cells
    ADD CONSTRAINT pk_cells PRIMARY KEY (device_id, address, number);


--
-- Name: controllers pk_controllers; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.controllers
    ADD CONSTRAINT pk_controllers PRIMARY KEY (id);


--
-- Name: device_adapters pk_device_adapters; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.device_adapters
    ADD CONSTRAINT pk_device_adapters PRIMARY KEY (device_id, adapter_id);


--
-- Name: devices pk_devices; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.devices
    ADD CONSTRAINT pk_devices PRIMARY KEY (id);


--
-- Name: outputs pk_outputs; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.outputs
    ADD CONSTRAINT pk_outputs PRIMARY KEY (device_id, id);


--
-- Name: packs pk_packs; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.packs
    ADD CONSTRAINT pk_packs PRIMARY KEY (device_id);


--
-- Name: site pk_site; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.site
    ADD CONSTRAINT pk_site PRIMARY KEY (key);


--
-- Name: schema_version schema_version_pkc; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_version
    ADD CONSTRAINT schema_version_pkc PRIMARY KEY (version_num);


--
-- Name: ix_array_attachments_open; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX ix_array_attachments_open ON public.array_attachments USING btree (array_id) WHERE (detached_at IS NULL);


--
-- Name: ix_packs_array_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_packs_array_id ON public.packs USING btree (array_id);


--
-- Name: adapters fk_adapters_device_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.adapters
    ADD CONSTRAINT fk_adapters_device_id FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;


--
-- Name: batteries fk_batteries_device_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.batteries
    ADD CONSTRAINT fk_batteries_device_id FOREIGN KEY (device_id) REFERENCES public.packs(device_id) ON DELETE CASCADE;


--
-- Name: capabilities fk_capabilities_device_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.capabilities
    ADD CONSTRAINT fk_capabilities_device_id FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;


--
-- Name: cells fk_cells_device_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.cells
    ADD CONSTRAINT fk_cells_device_id FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;


--
-- Name: device_adapters fk_device_adapters_device_id_adapter_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.device_adapters
    ADD CONSTRAINT fk_device_adapters_device_id_adapter_id FOREIGN KEY (device_id, adapter_id) REFERENCES public.adapters(device_id, id) ON DELETE CASCADE;


--
-- Name: outputs fk_outputs_device_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.outputs
    ADD CONSTRAINT fk_outputs_device_id FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;


--
-- Name: packs fk_packs_array_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.packs
    ADD CONSTRAINT fk_packs_array_id FOREIGN KEY (array_id) REFERENCES public.arrays(id) ON DELETE SET NULL;


--
-- Name: packs fk_packs_device_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.packs
    ADD CONSTRAINT fk_packs_device_id FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--


